// Sliding windows along an axis, as a view: what convolution and pooling read. The gradient adds windows up where they overlap.
import { unfoldView } from "../../kernels/view.ts";
import { number } from "../core/arguments.ts";
import { ShapeError } from "../core/errors.ts";
import { normalizeAxis, type Shape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { takes, tensor } from "./arguments.ts";
import { defineOp, makeNode, nextAxis } from "./define.ts";
import { add } from "./elementwise.ts";
import { pad, reshape, slice, transpose } from "./movement.ts";

interface Windows {
  readonly axis: number;
  readonly size: number;
  readonly step: number;
}

const unfolded = (input: Shape, { axis, size, step }: Windows): Shape => [
  ...input.map((extent, i) => (i === axis ? Math.floor((extent - size) / step) + 1 : extent)),
  size,
];

defineOp({
  name: "unfold",
  kind: "movement",
  version: 1,
  dtype: ([dtype]) => dtype,
  shape: (input, attributes) => unfolded(input, attributes as unknown as Windows),
  view: (view, _, attributes) => {
    const { axis, size, step } = attributes as unknown as Windows;
    return unfoldView(view, axis, size, step);
  },
  batch: nextAxis,
  vjp: ({ inputs: [x], grad, attributes }) => [fold(grad, x.shape, attributes as unknown as Windows)],
});

/** Adds windows up where they came from: at each point those contributions first that lie nearest to their window's beginning. */
function fold(windows: Node, shape: Shape, { axis, size, step }: Windows): Node {
  const rank = shape.length;
  const count = windows.shape[axis];
  const blocks = Math.ceil(size / step);
  const along = <T>(at: T, elsewhere: T) => shape.map((_, i) => (i === axis ? at : elsewhere));
  const order = [...along(0, 0).keys()];
  // [..., count, size, ...], the windows filled up to whole steps.
  const beside = transpose(windows, [...order.slice(0, axis + 1), rank, ...order.slice(axis + 1)]);
  const filled = pad(
    beside,
    beside.shape.map((_, i) => [0, i === axis + 1 ? blocks * step - size : 0]),
  );
  // Block b of each window lies b steps after the window's beginning; within a block nothing overlaps.
  const parts = Array.from({ length: blocks }, (_, b) => {
    const block = slice(filled, [...order.slice(0, axis + 1).map(() => null), [b * step, (b + 1) * step]]);
    const flat = reshape(block, [...shape.slice(0, axis), count * step, ...shape.slice(axis + 1)]);
    return pad(flat, along([b * step, (blocks - 1 - b) * step], [0, 0]));
  });
  const sum = parts.reduce((total, part) => add(total, part));
  const kept = Math.min(sum.shape[axis], shape[axis]);
  return pad(slice(sum, along<[number, number] | null>([0, kept], null)), along([0, shape[axis] - kept], [0, 0]));
}

/**
 * Windows of `size` points along an axis, `step` apart, as PyTorch's unfold: the axis counts the windows, and a new last axis runs inside
 * them. [..., extent, ...] → [..., ⌊(extent − size) ÷ step⌋ + 1, ..., size]. A view: nothing is copied. Throws ShapeError where no window fits.
 */
export function unfold(x: Node, axis: number, size: number, step = 1): Node {
  const at = normalizeAxis("unfold", axis, x.shape.length);
  for (const [what, value] of Object.entries({ size, step })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new ShapeError({
      where: "unfold",
      problem: `${what} isn't a count`,
      got: String(value),
      expected: "an integer ≥ 1",
    });
  }
  if (size > x.shape[at]) {
    throw new ShapeError({
      where: "unfold",
      problem: "a window longer than its axis",
      got: `${size} on axis ${at} of ${x.shape[at]}`,
      expected: `a size in [1, ${x.shape[at]}]`,
    });
  }
  const attributes = { axis: at, size, step };
  return makeNode("unfold", [x], unfolded(x.shape, attributes), attributes);
}

takes({ unfold }, { x: tensor, axis: number, size: number, "step?": number });
