// Windows added up where they came from: the gradient of unfold, and what transposed convolutions do.
import type { Shape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { moveAxis } from "./axes.ts";
import { add } from "./elementwise.ts";
import { reshape, slice } from "./movement.ts";
import { pad } from "./pad.ts";
import { alongAxis } from "./range.ts";

/** Windows along an axis. */
export interface Windows {
  readonly axis: number;
  readonly size: number;
  readonly step: number;
  /** From one point of a window to the next; 1 unless given. */
  readonly dilation?: number;
}

/**
 * [..., count, ..., size] → `shape`, whose `axis` the windows lie along: at each point the sum of those contributions first that lie nearest to
 * their window's beginning; 0 where none lands.
 */
export function fold(windows: Node, shape: Shape, { axis, size, step, dilation = 1 }: Windows): Node {
  const rank = shape.length;
  const count = windows.shape[axis];
  // A block is a run of a window's points that lands within one step.
  const run = dilation === 1 ? step : 1;
  const blocks = Math.ceil(size / run);
  const along = <T>(at: T, elsewhere: T) => shape.map((_, i) => (i === axis ? at : elsewhere));
  // [..., count, size, ...], the windows filled up to whole blocks.
  const beside = moveAxis(windows, rank, axis + 1);
  const filledTo = (x: Node, points: number) => {
    const amounts = x.shape.map((extent, i) => [0, i === axis + 1 ? points - extent : 0]);
    return pad(x, amounts);
  };
  const filled = filledTo(beside, blocks * run);
  // Within a block nothing overlaps.
  const parts = Array.from({ length: blocks }, (_, b) => {
    const block = slice(filled, alongAxis(axis + 1, [b * run, (b + 1) * run]));
    const flat = reshape(filledTo(block, step), [...shape.slice(0, axis), count * step, ...shape.slice(axis + 1)]);
    const shift = run * dilation;
    return pad(flat, along([b * shift, (blocks - 1 - b) * shift], [0, 0]));
  });
  const sum = parts.reduce((total, part) => add(total, part));
  const kept = Math.min(sum.shape[axis], shape[axis]);
  return pad(slice(sum, along<[number, number] | null>([0, kept], null)), along([0, shape[axis] - kept], [0, 0]));
}
