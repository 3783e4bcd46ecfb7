// Sliding windows along an axis, as a view: what convolution and pooling read. The gradient adds windows up where they overlap, as transposed convolutions do.
import { unfoldView } from "../../kernels/view.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { checkCount, normalizeAxis, type Shape, withExtent } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { padAlong } from "./along.ts";
import { number, takes, tensor } from "./arguments.ts";
import { moveAxis } from "./axes.ts";
import { defineMovement, makeNode, nextAxis } from "./define.ts";
import { add } from "./elementwise.ts";
import { reshape, slice } from "./movement.ts";
import { alongAxis } from "./range.ts";

/** How far a window of `size` points reaches. */
export const reachOf = (size: number, dilation: number): number => dilation * (size - 1) + 1;

interface Windows {
  readonly axis: number;
  readonly size: number;
  readonly step: number;
  /** From one point of a window to the next; 1 unless given. */
  readonly dilation?: number;
}

const unfolded = (input: Shape, { axis, size, step, dilation = 1 }: Windows): Shape => [
  ...input.map((extent, i) => (i === axis ? Math.floor((extent - reachOf(size, dilation)) / step) + 1 : extent)),
  size,
];

defineMovement({
  name: "unfold",
  shape: (input, attributes) => unfolded(input, attributes as unknown as Windows),
  view: (view, _terms, _shape, attributes) => {
    const { axis, size, step, dilation } = attributes as unknown as Windows;
    return unfoldView(view, axis, size, step, dilation);
  },
  batch: nextAxis,
  vjp: ({ inputs: [x], grad, attributes }) => [fold(grad, x.shape, attributes as unknown as Windows)],
});

/**
 * Windows of `size` points along an axis, `step` apart, as PyTorch's Tensor.unfold: the axis counts the windows, and a new last axis runs inside
 * them. [..., extent, ...] → [..., ⌊(extent − reach) ÷ step⌋ + 1, ..., size], reach = dilation · (size − 1) + 1: a window's points lie `dilation`
 * apart. A view: nothing is copied. Throws ShapeError where no window fits.
 * @torch torch.Tensor.unfold
 */
export function unfold(x: Node, axis: number, size: number, step = 1, dilation = 1): Node {
  const at = normalizeAxis("unfold", axis, x.shape.length);
  for (const [what, value] of Object.entries({ size, step, dilation })) checkCount("unfold", what, value);
  const reach = reachOf(size, dilation);
  if (reach > x.shape[at]) {
    const expected = `at most ${x.shape[at]} points from a window's first to its last`;
    refuse(ShapeError, "unfold", "a window longer than its axis", `${reach} on axis ${at} of ${x.shape[at]}`, expected);
  }
  // Windows without gaps have no dilation in the graph's hash.
  const attributes = { axis: at, size, step, ...(dilation > 1 && size > 1 ? { dilation } : {}) };
  return makeNode("unfold", [x], unfolded(x.shape, attributes), attributes);
}

/**
 * [..., count, ..., size] → `shape`, whose `axis` the windows lie along: at each point the sum of those contributions first that lie nearest to
 * their window's beginning; 0 where none lands.
 */
export function fold(windows: Node, shape: Shape, { axis, size, step, dilation = 1 }: Windows): Node {
  // A block is a run of a window's points that lands within one step.
  const run = dilation === 1 ? step : 1;
  const blocks = Math.ceil(size / run);
  // [..., count, size, ...], the windows filled up to whole blocks.
  const filled = padAlong(moveAxis(windows, -1, axis + 1), axis + 1, [0, blocks * run - size]);
  // Within a block nothing overlaps.
  const parts = Array.from({ length: blocks }, (_, b) => {
    const block = slice(filled, alongAxis(axis + 1, [b * run, (b + 1) * run]));
    const whole = padAlong(block, axis + 1, [0, step - run]);
    const flat = reshape(whole, withExtent(shape, axis, windows.shape[axis] * step));
    const shift = run * dilation;
    return padAlong(flat, axis, [b * shift, (blocks - 1 - b) * shift]);
  });
  const sum = parts.reduce((total, part) => add(total, part));
  const kept = Math.min(sum.shape[axis], shape[axis]);
  return padAlong(slice(sum, alongAxis(axis, [0, kept])), axis, [0, shape[axis] - kept]);
}

takes({ unfold }, { x: tensor, axis: number, size: number, "step?": number, "dilation?": number });
