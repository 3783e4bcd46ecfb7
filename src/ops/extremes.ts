// The largest or smallest of what indices bring to one place. Updates are sorted, so that the last one written there is the one that stays.
import { normalizeAxis } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { number, takes, tensor } from "./arguments.ts";
import { equal, logicalAnd, logicalOr, notEqual } from "./compare.ts";
import { withGradient } from "./custom.ts";
import { add, cast, div, maximum, minimum, where } from "./elementwise.ts";
import { checkScatter, gather, scatter, scatterAdd } from "./gather.ts";
import { flip } from "./movement.ts";
import { argsort } from "./sort.ts";

function scatterExtreme(
  x: Node,
  indices: Node,
  updates: Node,
  { axis, name, pick }: { readonly axis: number; readonly name: string; readonly pick: (a: Node, b: Node) => Node },
): Node {
  const at = normalizeAxis(name, axis, x.shape.length);
  checkScatter(name, x, indices, updates, at);
  // Of equal ones the first comes last.
  const [later, targets] = [flip(updates, at), flip(indices, at)];
  const order = argsort(later, { axis: at, descending: pick === minimum });
  const output = pick(x, scatter(x, gather(targets, order, at), gather(later, order, at), at));
  return withGradient(output, [x, updates, indices], (grad, [own, given, places], out) => {
    const reaches = (value: Node, extreme: Node) =>
      logicalOr(equal(value, extreme), logicalAnd(notEqual(value, value), notEqual(extreme, extreme)));
    const [stays, wins] = [reaches(own, out), reaches(given, gather(out, places, at))];
    const count = add(cast(stays, "float32"), scatterAdd(places, cast(wins, "float32"), at, own.shape[at]));
    const share = div(grad, count);
    return [where(stays, share, 0), where(wins, gather(share, places, at), 0), null];
  });
}

/**
 * The largest of x's element and all updates that the indices bring to its place: out[…i…] = max(x[…i…], updates whose index is i) along an axis; NaN wins, of −0 and
 * +0 the first, x's before all updates. Its gradient goes in equal parts to all that reach it. indices: int32, x's shape but for the axis; updates: their shape and
 * x's dtype, float32 or int32. PyTorch's scatter_reduce of amax, `include_self` true. The updates are sorted: n·log n. An index out of range is an error when run.
 * Throws ShapeError, DTypeError.
 * @torch torch.scatter_reduce of amax
 */
export const scatterMax = (x: Node, indices: Node, updates: Node, axis: number): Node =>
  scatterExtreme(x, indices, updates, { axis, name: "scatterMax", pick: maximum });

/** The smallest, as scatterMax. x: [...], indices and updates: its shape but for the axis. Throws ShapeError, DTypeError. @torch torch.scatter_reduce of amin */
export const scatterMin = (x: Node, indices: Node, updates: Node, axis: number): Node =>
  scatterExtreme(x, indices, updates, { axis, name: "scatterMin", pick: minimum });

takes({ scatterMax, scatterMin }, { x: tensor, indices: tensor, updates: tensor, axis: number });
