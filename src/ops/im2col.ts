import { refuse, ShapeError } from "../core/errors.ts";
import type { Node } from "../graph/node.ts";
import { takes, tensor } from "./arguments.ts";
import { reshape, slice } from "./movement.ts";
import {
  checkImages,
  foldWindows,
  gathered,
  type PerAxis,
  perAxis,
  perAxisKind,
  reachOf,
  type WindowOptions,
  windowOptions,
  windowSpec,
  windowsOf,
} from "./window.ts";

/** Each window of images as a column, as PyTorch's functional unfold. x: [batch, channels, height, width] → [batch, channels · down · across, windows], windows row by row. Throws ShapeError. @torch torch.nn.functional.unfold */
export function im2col(x: Node, size: PerAxis, options: WindowOptions = {}): Node {
  checkImages("im2col", x, 2);
  const windows = windowsOf("im2col", x, windowSpec("im2col", 2, size, options), 0);
  const [batch, channels, rows, down, columns, across] = windows.shape;
  return reshape(gathered(windows, { first: [0, 1], last: [] }), [batch, channels * down * across, rows * columns]);
}

/**
 * Columns added up to images of `outputSize`, as PyTorch's functional fold: im2col's gradient. x: [batch, channels · down · across, windows] →
 * [batch, channels, ...outputSize]; sums as conv2d's images' gradients. Throws ShapeError.
 * @torch torch.nn.functional.fold
 */
export function col2im(x: Node, outputSize: PerAxis, size: PerAxis, options: WindowOptions = {}): Node {
  const extents = perAxis("col2im", "outputSize", outputSize, 2, 1);
  const { size: points, stride, dilation, padding } = windowSpec("col2im", 2, size, options);
  const before = padding.map(([added]) => added);
  const counts = extents.map(
    (extent, i) => Math.floor((extent + 2 * before[i] - reachOf(points[i], dilation[i])) / stride[i]) + 1,
  );
  const taps = points[0] * points[1];
  const [batch, depth, windows] = x.shape;
  if (
    x.shape.length !== 3 ||
    depth % taps !== 0 ||
    counts.some((count) => count < 1) ||
    windows !== counts[0] * counts[1]
  ) {
    const problem = "not the windows of such images";
    refuse(ShapeError, "col2im", problem, x, `[batch, channels · ${taps}, ${counts.join(" · ")}]`);
  }
  const apart = reshape(x, [batch, depth / taps, ...points, ...counts]);
  const reached = extents.map((extent, i) => extent + before[i]);
  const whole = foldWindows(apart, reached, { stride, dilation });
  return slice(whole, [null, null, ...reached.map((end, i): [number, number] => [before[i], end])]);
}

const byName = "stride, padding and dilation go by name";
takes({ im2col }, { x: tensor, size: perAxisKind, "options?": windowOptions }, byName);
takes({ col2im }, { x: tensor, outputSize: perAxisKind, size: perAxisKind, "options?": windowOptions }, byName);
