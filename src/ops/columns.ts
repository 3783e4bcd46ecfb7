// Loops over the columns of matrices: which column it is, and what is read there.
import { withExtent } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { coordinate } from "./creation.ts";
import { broadcastTo } from "./define.ts";
import { gather } from "./gather.ts";
import { type LoopOptions, type Step, scanNodes } from "./scan.ts";

/** The points of an axis at an index of extents that broadcast to x's, 1 along it. */
export function pick(x: Node, index: Node, axis: number): Node {
  const extent = index.shape.length === 0 ? 1 : index.shape[axis];
  return gather(x, broadcastTo(index, withExtent(x.shape, axis, extent)), axis);
}

/** Numbers of rows or columns, as int32, along one axis of [1, rows, columns]. */
export const rowNumbers = (rows: number): Node => coordinate([1, rows, 1], 1);
export const columnNumbers = (columns: number): Node => coordinate([1, 1, columns], 2);

/** A loop whose first slice is its position. */
export function positions(
  length: number,
  init: readonly Node[],
  stacks: readonly Node[],
  body: (position: Node, carry: readonly Node[], slices: readonly Node[]) => Step,
  options?: LoopOptions,
): Step {
  const numbers = coordinate([length], 0);
  const step = ({ carry, slices: [position, ...rest] }: Step) => body(position, carry, rest);
  return scanNodes(step, init, [numbers, ...stacks], length, options);
}
