// Convolution and pooling over images, as windows and a matrix product, or windows and a maximum. Images are [batch, channels, height, width].
import { number, options } from "../core/arguments.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { bias as biasKind, takes, tensor } from "./arguments.ts";
import { broadcastTo } from "./define.ts";
import { add } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { pad, reshape, slice, transpose } from "./movement.ts";
import { firstMax } from "./reduce.ts";
import { unfold } from "./unfold.ts";

export interface WindowOptions {
  /** From one window to the next, down and across. */
  readonly stride?: number;
  /** Points added on every side. */
  readonly padding?: number;
}

/** [batch, channels, height, width] → [batch, channels, rows, down, columns, across] by its windows. */
function windowsOf(
  where: string,
  x: Node,
  [down, across]: readonly [number, number],
  { stride, padding }: Required<WindowOptions>,
  fill: number,
): Node {
  if (!Number.isSafeInteger(stride) || stride < 1 || !Number.isSafeInteger(padding) || padding < 0) {
    throw new ShapeError({
      where,
      problem: "not a stride and a padding",
      got: `stride ${stride}, padding ${padding}`,
      expected: "integers, stride ≥ 1, padding ≥ 0",
    });
  }
  const [height, width] = x.shape.slice(2).map((extent) => extent + 2 * padding);
  if (down > height || across > width) {
    throw new ShapeError({
      where,
      problem: "a window larger than the image",
      got: `${down}×${across} over ${height}×${width}`,
      expected: "at least one window",
    });
  }
  const sides = [padding, padding];
  const padded = padding > 0 ? pad(x, [[0, 0], [0, 0], sides, sides], fill) : x;
  if (stride === down && stride === across) {
    // Windows that don't overlap are the image in another shape.
    const [rows, columns] = [Math.floor(height / down), Math.floor(width / across)];
    const whole = slice(padded, [null, null, [0, rows * down], [0, columns * across]]);
    return reshape(whole, [x.shape[0], x.shape[1], rows, down, columns, across]);
  }
  // The second unfold keeps the image's columns innermost, for its gradient's sake.
  const rows = transpose(unfold(padded, 2, down, stride), [0, 1, 2, 4, 3]);
  return unfold(rows, 4, across, stride);
}

function checkImages(where: string, x: Node, channels: number | undefined): void {
  if (x.shape.length === 4 && (channels === undefined || x.shape[1] === channels)) return;
  throw new ShapeError({
    where,
    problem: "not images",
    got: formatShape(x.shape),
    expected: `[batch, ${channels ?? "channels"}, height, width]`,
  });
}

/**
 * Cross-correlation of images with a filter an output channel, plus bias, as PyTorch's conv2d. x: [batch, in, height, width], weight: [out, in,
 * down, across], bias: [out] → [batch, out, rows, columns]. Each sum runs over (down, across, in) in a matrix product's order. Throws ShapeError.
 */
export function conv2d(x: Node, weight: Node, bias?: Node, { stride = 1, padding = 0 }: WindowOptions = {}): Node {
  if (weight.shape.length !== 4) {
    throw new ShapeError({
      where: "conv2d",
      problem: "not a filter an output channel",
      got: formatShape(weight.shape),
      expected: "[out, in, down, across]",
    });
  }
  const [outputs, inputs, down, across] = weight.shape;
  checkImages("conv2d", x, inputs);
  const windows = windowsOf("conv2d", x, [down, across], { stride, padding }, 0);
  const [batch, , rows, , columns] = windows.shape;
  const depth = down * across * inputs;
  const filters = reshape(transpose(weight, [0, 2, 3, 1]), [outputs, depth]);
  const points = reshape(transpose(windows, [0, 3, 5, 1, 2, 4]), [batch, depth, rows * columns]);
  const out = reshape(matmul(filters, points), [batch, outputs, rows, columns]);
  return bias ? add(out, broadcastTo(reshape(bias, [outputs, 1, 1]), out.shape)) : out;
}

/** The largest of each window, `size` points down and across; `stride` is the size unless given. x: [batch, channels, height, width] → [batch, channels, rows, columns]. What padding adds is −∞. The gradient goes to the first of the largest, row by row, as PyTorch's. Throws ShapeError. */
export function maxPool2d(x: Node, size: number, { stride = size, padding = 0 }: WindowOptions = {}): Node {
  checkImages("maxPool2d", x, undefined);
  if (!Number.isSafeInteger(size) || size < 1 || 2 * padding > size) {
    throw new ShapeError({
      where: "maxPool2d",
      problem: "not a window",
      got: `size ${size}, padding ${padding}`,
      expected: "an integer size ≥ 1, and a padding of at most half of it",
    });
  }
  return firstMax(windowsOf("maxPool2d", x, [size, size], { stride, padding }, -Infinity), { axis: [3, 5] });
}

const window = options<WindowOptions>({ "stride?": number, "padding?": number });
takes(
  { conv2d },
  { x: tensor, weight: tensor, "bias?": biasKind, "options?": window },
  "stride and padding go by name",
);
takes({ maxPool2d }, { x: tensor, size: number, "options?": window }, "stride and padding go by name");
