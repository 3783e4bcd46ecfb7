// Points added around a tensor: of one value, as a view, or its own, which are slices of it beside it.
import { padView } from "../../kernels/view.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { checkShape, withExtent } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { either, listOf, number, numbers, oneOf, takes, tensor } from "./arguments.ts";
import { broadcastTo, checkNumber, defineMovement, makeNode, numbersOf } from "./define.ts";
import { concat, slice } from "./movement.ts";
import { alongAxis } from "./range.ts";

defineMovement({
  name: "pad",
  shape: (input, { before, after }) =>
    input.map((extent, axis) => numbersOf(before)[axis] + extent + numbersOf(after)[axis]),
  view: (view, _terms, _shape, { before, after }) => padView(view, numbersOf(before), numbersOf(after)),
  fill: ({ value }) => value as number,
  batch: ({ before, after, value }) => ({ before: [0, ...numbersOf(before)], after: [0, ...numbersOf(after)], value }),
  vjp: ({ inputs: [x], grad, attributes }) => [
    slice(
      grad,
      numbersOf(attributes.before).map((start, axis) => [start, start + x.shape[axis]]),
    ),
  ],
});

/** What stands in added points: a number, or the tensor's own points, as PyTorch names it. */
export type Padding = number | "reflect" | "replicate" | "circular";

/**
 * Adds [before, after] points along each axis, filled with a number, 0 unless given, or with the tensor's own points: "reflect" mirrors them at the edge,
 * which isn't repeated (3 2 | 1 2 3 | 2 1), "replicate" repeats the edge (1 1 | 1 2 3 | 3 3; NumPy's edge), "circular" goes on at the other end
 * (2 3 | 1 2 3 | 1 2; NumPy's wrap). Throws ShapeError on negative amounts, and where an axis has too few points to fill them.
 * @torch torch.nn.functional.pad
 */
export function pad(
  x: Node,
  amounts: readonly (readonly [number, number] | readonly number[])[],
  padding: Padding = 0,
): Node {
  if (
    amounts.length !== x.shape.length ||
    amounts.some((pair) => pair.length !== 2 || pair.some((amount) => !Number.isInteger(amount) || amount < 0))
  ) {
    const problem = "not an amount for each side of each axis";
    refuse(ShapeError, "pad", problem, JSON.stringify(amounts), `${x.shape.length} pairs of integers ≥ 0`);
  }
  if (typeof padding !== "number")
    return amounts.reduce<Node>((padded, [before, after], axis) => extend(padded, axis, before, after, padding), x);
  checkNumber("pad", padding, x.dtype);
  if (amounts.every(([before, after]) => before === 0 && after === 0)) return x;
  const [before, after] = [amounts.map((pair) => pair[0]), amounts.map((pair) => pair[1])];
  const extents = x.shape.map((extent, axis) => before[axis] + extent + after[axis]);
  const shape = checkShape("pad", extents);
  const value = x.dtype === "float32" ? Math.fround(padding) : padding;
  return makeNode("pad", [x], shape, { before, after, value });
}

/** An axis with points of its own before and after it. */
function extend(x: Node, axis: number, before: number, after: number, mode: Exclude<Padding, number>): Node {
  if (before === 0 && after === 0) return x;
  const extent = x.shape[axis];
  const most = { reflect: extent - 1, replicate: extent > 0 ? Infinity : 0, circular: extent }[mode];
  if (Math.max(before, after) > most) {
    const got = `${Math.max(before, after)} points beside ${extent}`;
    refuse(ShapeError, "pad", `axis ${axis} has too few points for "${mode}"`, got, `at most ${Math.max(most, 0)}`);
  }
  const part = (start: number, stop: number, step = 1) => slice(x, alongAxis(axis, [start, stop, step]));
  const edge = (at: number, count: number) => broadcastTo(part(at, at + 1), withExtent(x.shape, axis, count));
  const end = extent - 2 - after;
  const [head, tail] = {
    reflect: () => [part(before, 0, -1), part(extent - 2, end < 0 ? -Infinity : end, -1)],
    replicate: () => [edge(0, before), edge(extent - 1, after)],
    circular: () => [part(extent - before, extent), part(0, after)],
  }[mode]();
  const parts = [head, x, tail].filter(({ shape }) => shape[axis] > 0);
  return concat(parts, axis);
}

const padding = oneOf(["reflect", "replicate", "circular"], {
  edge: '"replicate"',
  wrap: '"circular"',
  constant: "by its number: pad(x, amounts, 0)",
});
const amountsKind = listOf(numbers, "a list of [before, after], one for each axis");
takes({ pad }, { x: tensor, amounts: amountsKind, "padding?": either(number, padding) });
