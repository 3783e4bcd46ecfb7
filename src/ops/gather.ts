// Reading, adding and writing by an index that is data. Gradients of a read are added by destination, in ascending source position.
import { refuse, ShapeError } from "../core/errors.ts";
import { checkShape, normalizeAxis, sameShape, sizeOf, withExtent } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { number, operand, takes, tensor } from "./arguments.ts";
import { greater } from "./compare.ts";
import { coordinate } from "./creation.ts";
import {
  broadcastTo,
  checkIndexDType,
  checkNumber,
  defineOp,
  full,
  makeNode,
  type NodeLike,
  nextAxis,
  refuseDTypes,
  sameDType,
} from "./define.ts";
import { add, maximum, sub, where } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import type { RecordBase } from "./record.ts";

defineOp({
  name: "gather",
  kind: "gather",
  version: 1,
  batch: nextAxis,
  dtype: ([x, indices], _, where) => {
    checkIndexDType(where, indices);
    return x;
  },
  vjp: ({ inputs: [x, indices], grad, attributes }) => [
    makeNode("scatterAdd", [indices, grad], x.shape, attributes),
    null,
  ],
});

const defineScatter = (combine: "sum" | "last", record: RecordBase) =>
  defineOp({
    kind: "special",
    of: "scatter",
    version: 1,
    kernel: ({ attributes }) => ({ axis: attributes.axis as number, combine }),
    batch: nextAxis,
    ...record,
  });

defineScatter("sum", {
  name: "scatterAdd",
  dtype: ([indices, updates], _, where) => {
    if (indices !== "int32" || (updates !== "float32" && updates !== "int32"))
      refuseDTypes(
        where,
        [indices, updates],
        "int32 indices, and float32 or int32 updates",
        'cast first, as in x.cast("int32")',
      );
    return updates;
  },
  vjp: ({ inputs: [indices], grad, attributes }) => [
    null,
    makeNode("gather", [grad, indices], indices.shape, attributes),
  ],
});

/** Which update each destination keeps: the last one's number, counted from 1 along the axis, and 0 where none is written. */
defineScatter("last", { name: "scatterLast", dtype: sameDType("int32"), vjp: "none" });

function checkAlong(where: string, a: Node, b: Node, axis: number): void {
  if (!sameShape(withExtent(a.shape, axis, 0), withExtent(b.shape, axis, 0)))
    refuse(ShapeError, where, "shapes differ beside the axis", [a, b], `the same extents but for axis ${axis}`);
}

function checkUpdates(where: string, indices: Node, updates: Node): void {
  if (!sameShape(indices.shape, updates.shape))
    refuse(ShapeError, where, "an index for each update", [indices, updates], "one shape");
}

/** Throws ShapeError or DTypeError unless there are an int32 index and an update of x's dtype for each other, of x's shape but for the axis. */
export function checkScatter(where: string, x: Node, indices: Node, updates: Node, axis: number): void {
  checkAlong(where, x, indices, axis);
  if (updates.dtype !== x.dtype || indices.dtype !== "int32") {
    const got = [x.dtype, indices.dtype, updates.dtype];
    refuseDTypes(where, got, "int32 indices, and updates of x's dtype", 'cast first, as in x.cast("int32")');
  }
  checkUpdates(where, indices, updates);
}

/** out[…i…] = x[…indices[…i…]…] along an axis, as PyTorch's gather: shapes equal but for that axis. An index out of range is an error when run. @torch torch.gather */
export function gather(x: Node, indices: Node, axis: number): Node {
  const at = normalizeAxis("gather", axis, x.shape.length);
  checkAlong("gather", x, indices, at);
  return makeNode("gather", [x, indices], indices.shape, { axis: at });
}

/** Rows by number, as an embedding reads them. table: [rows, ...rest], indices: [...] int32 → [..., ...rest]. @torch torch.nn.functional.embedding */
export function take(table: Node, indices: Node): Node {
  if (table.shape.length === 0) refuse(ShapeError, "take", "a scalar has no rows", undefined, "at least one axis");
  const rest = table.shape.slice(1);
  const count = sizeOf(indices.shape);
  const wide = broadcastTo(reshape(indices, [count, ...rest.map(() => 1)]), [count, ...rest]);
  return reshape(gather(table, wide, 0), [...indices.shape, ...rest]);
}

/** zeros of extent `size` along `axis`, plus every update at its index, in ascending position. indices, updates: one shape. @torch torch.scatter_add */
export function scatterAdd(indices: Node, updates: Node, axis: number, size: number): Node {
  const at = normalizeAxis("scatterAdd", axis, updates.shape.length);
  checkUpdates("scatterAdd", indices, updates);
  const shape = withExtent(updates.shape, at, size);
  return makeNode("scatterAdd", [indices, updates], checkShape("scatterAdd", shape), { axis: at });
}

/**
 * x with updates written where the indices say: out[…indices[…i…]…] = updates[…i…] along an axis, of several for one place the last in row-major order,
 * and its gradient alone passes. indices: int32, x's shape but for the axis; updates: their shape and x's dtype, or a number. PyTorch's scatter, whose order isn't
 * fixed. An index out of range is an error when run. Throws ShapeError, DTypeError.
 * @torch torch.scatter
 */
export function scatter(x: Node, indices: Node, updates: NodeLike, axis: number): Node {
  const at = normalizeAxis("scatter", axis, x.shape.length);
  if (typeof updates === "number") checkNumber("scatter", updates, x.dtype);
  const written = typeof updates === "number" ? full(indices.shape, updates, x.dtype) : updates;
  checkScatter("scatter", x, indices, written, at);
  if (sizeOf(indices.shape) === 0) return x;
  const last = makeNode("scatterLast", [indices, add(coordinate(indices.shape, at), 1)], x.shape, { axis: at });
  return where(greater(last, 0), gather(written, maximum(sub(last, 1), 0), at), x);
}

takes({ gather }, { x: tensor, indices: tensor, axis: number });
const byRows = "rows of the first axis are taken; along another axis it is gather";
takes({ take }, { table: tensor, indices: tensor }, byRows);
takes({ scatter }, { x: tensor, indices: tensor, updates: operand, axis: number });
takes({ scatterAdd }, { indices: tensor, updates: tensor, axis: number, size: number });
