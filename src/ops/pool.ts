// Pooling over one, two and three dimensions: what windows of a view come to, by maximum or mean. Images are [batch, channels, ...extents].
import { limits } from "../core/dtype.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { pointsAlong, valuesAlong } from "./along.ts";
import { boolean, type Kind, options, takes, tensor } from "./arguments.ts";
import { constant } from "./creation.ts";
import { broadcastTo, full } from "./define.ts";
import { div, where as select } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { type PerAxis, perAxis, perAxisKind, type WindowOptions, windowOptions } from "./per-axis.ts";
import { firstMax, mean, sum } from "./reduce.ts";
import { checkImages, gathered, perRank, windowSpec, windowsOf } from "./window.ts";

/** How a mean's windows lie. */
export interface AvgPoolOptions extends Omit<WindowOptions, "dilation"> {
  /** Whether padding's zeros count as points of a window; true unless given. */
  readonly countPadding?: boolean;
}

/** The windows' axes in [batch, channels, n₁, k₁, …]. */
const tapsOf = (rank: number) => Array.from({ length: rank }, (_, i) => 3 + 2 * i);

function spec(where: string, rank: number, points: PerAxis, given: WindowOptions) {
  const windows = windowSpec(where, rank, points, { ...given, stride: given.stride ?? points });
  const { size, padding } = windows;
  if (padding.some(([added], i) => 2 * added > size[i])) {
    const got = `size [${size}], padding [${padding.map(([added]) => added)}]`;
    refuse(ShapeError, where, "not a window", got, "a padding of at most half the size");
  }
  return windows;
}

/** The sum of each window, in chunks over its points, row by row. */
function sums(windows: Node): Node {
  const rank = windows.shape.length / 2 - 1;
  const points = gathered(windows, { first: [0, 1], last: [] });
  return sum(points, { axis: Array.from({ length: rank }, (_, i) => 2 + i) });
}

function averages(where: string, rank: number, x: Node, size: PerAxis, options: AvgPoolOptions = {}): Node {
  checkImages(where, x, rank);
  const { countPadding = true } = options;
  const windows = spec(where, rank, size, options);
  const totals = sums(windowsOf(where, x, windows, 0));
  if (countPadding) return div(totals, sizeOf(windows.size));
  const counts = sums(windowsOf(where, full([1, 1, ...x.shape.slice(2)], 1), windows, 0));
  return div(totals, broadcastTo(counts, totals.shape));
}

/** One axis's windows from ⌊i · extent ÷ count⌋ to ⌈(i + 1) · extent ÷ count⌉. */
const partsOf = (extent: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    from: Math.floor((i * extent) / count),
    to: Math.ceil(((i + 1) * extent) / count),
  }));

/** [batch, channels, n₁, k₁, …] for as many windows as `counts` says, those with fewer points filled up; and how many points each has, where they differ. */
function adaptiveWindows(
  where: string,
  rank: number,
  x: Node,
  size: PerAxis,
  fill: number,
): { windows: Node; counts?: Node } {
  checkImages(where, x, rank);
  const extents = x.shape.slice(2);
  const counts = perAxis(where, "size", size, rank, 1);
  if (extents.includes(0)) refuse(ShapeError, where, "nothing to pool", x, "extents ≥ 1");
  if (extents.every((extent, i) => extent % counts[i] === 0)) {
    const shape = extents.flatMap((extent, i) => [counts[i], extent / counts[i]]);
    return { windows: reshape(x, [...x.shape.slice(0, 2), ...shape]) };
  }
  const parts = extents.map((extent, i) => partsOf(extent, counts[i]));
  const windows = parts.reduce((y, ranges, i) => alongParts(y, 2 + 2 * i, ranges, fill), x);
  const lengths = parts
    .map((ranges) => ranges.map(({ from, to }) => to - from))
    .reduce((products, own) => products.flatMap((product) => own.map((length) => product * length)));
  return { windows, counts: constant(Float32Array.from(lengths), counts, "float32") };
}

/** An axis as two: its parts, and their points, as many as the longest has. */
function alongParts(x: Node, axis: number, ranges: ReturnType<typeof partsOf>, fill: number): Node {
  const longest = Math.max(...ranges.map(({ from, to }) => to - from));
  const points = ranges.flatMap(({ from, to }) =>
    Array.from({ length: longest }, (_, i) => ({ at: Math.min(from + i, to - 1), isThere: from + i < to })),
  );
  const isThere = Uint8Array.from(points, ({ isThere }) => Number(isThere));
  const places = points.map(({ at }) => at);
  const found = pointsAlong(x, axis, places);
  const filled = select(valuesAlong(x.shape, axis, isThere), found, fill);
  return reshape(filled, [...x.shape.slice(0, axis), ranges.length, longest, ...x.shape.slice(axis + 1)]);
}

const windowed = (of: Kind) => ({ x: tensor, size: perAxisKind, "options?": of });
const averaging = options<AvgPoolOptions>({
  "stride?": perAxisKind,
  "padding?": perAxisKind,
  "countPadding?": boolean,
});
const adaptive = { x: tensor, size: perAxisKind };

const maxPool = perRank(
  "maxPool",
  windowed(windowOptions),
  (where, rank, x: Node, size: PerAxis, options: WindowOptions = {}) => {
    checkImages(where, x, rank);
    return firstMax(windowsOf(where, x, spec(where, rank, size, options), limits[x.dtype][0]), { axis: tapsOf(rank) });
  },
);

const avgPool = perRank("avgPool", windowed(averaging), averages);

const adaptiveAvgPool = perRank("adaptiveAvgPool", adaptive, (where, rank, x: Node, size: PerAxis) => {
  const { windows, counts } = adaptiveWindows(where, rank, x, size, 0);
  const totals = sums(windows);
  const points = sizeOf(tapsOf(rank).map((axis) => windows.shape[axis]));
  return div(totals, counts ? broadcastTo(counts, totals.shape) : points);
});

const adaptiveMaxPool = perRank("adaptiveMaxPool", adaptive, (where, rank, x: Node, size: PerAxis) =>
  firstMax(adaptiveWindows(where, rank, x, size, limits[x.dtype][0]).windows, { axis: tapsOf(rank) }),
);

/** The largest of each window of `size` points; otherwise as maxPool2d. x: [batch, channels, length] → [batch, channels, columns]. Throws ShapeError. @torch torch.nn.functional.max_pool1d */
export const maxPool1d = maxPool[0];
/** The largest of each window, `size` points down and across; `stride` is the size unless given. x: [batch, channels, height, width] → [batch, channels, rows, columns]. What padding adds is −∞. NaN wins. The gradient goes to the first of the largest, row by row, as PyTorch's. Throws ShapeError. @torch torch.nn.functional.max_pool2d */
export const maxPool2d = maxPool[1];
/** The largest of each window; otherwise as maxPool2d. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. Throws ShapeError. @torch torch.nn.functional.max_pool3d */
export const maxPool3d = maxPool[2];
/** The mean of each window of `size` points; otherwise as avgPool2d. x: [batch, channels, length] → [batch, channels, columns]. Throws ShapeError. @torch torch.nn.functional.avg_pool1d */
export const avgPool1d = avgPool[0];
/** The mean of each window, `size` points down and across: a sum in chunks, row by row, and one division; `stride` is the size unless given. x: [batch, channels, height, width] → [batch, channels, rows, columns]. `countPadding` is PyTorch's count_include_pad. Throws ShapeError. @torch torch.nn.functional.avg_pool2d */
export const avgPool2d = avgPool[1];
/** The mean of each window; otherwise as avgPool2d. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. Throws ShapeError. @torch torch.nn.functional.avg_pool3d */
export const avgPool3d = avgPool[2];
/** Means of `size` windows; otherwise as adaptiveAvgPool2d. x: [batch, channels, length] → [batch, channels, size]. Throws ShapeError. @torch torch.nn.functional.adaptive_avg_pool1d */
export const adaptiveAvgPool1d = adaptiveAvgPool[0];
/** Means of as many windows as `size` says, down and across: window i of n over an extent e from ⌊i·e ÷ n⌋ to ⌈(i + 1)·e ÷ n⌉, as PyTorch. x: [batch, channels, height, width] → [batch, channels, ...size]. Throws ShapeError. @torch torch.nn.functional.adaptive_avg_pool2d */
export const adaptiveAvgPool2d = adaptiveAvgPool[1];
/** Means of as many windows as `size` says; otherwise as adaptiveAvgPool2d. x: [batch, channels, depth, height, width] → [batch, channels, ...size]. Throws ShapeError. @torch torch.nn.functional.adaptive_avg_pool3d */
export const adaptiveAvgPool3d = adaptiveAvgPool[2];
/** The largest of each of `size` windows, which lie as adaptiveAvgPool2d's. x: [batch, channels, length] → [batch, channels, size]. Throws ShapeError. @torch torch.nn.functional.adaptive_max_pool1d */
export const adaptiveMaxPool1d = adaptiveMaxPool[0];
/** The largest of each of as many windows as `size` says, which lie as adaptiveAvgPool2d's; NaN and gradient as maxPool2d. x: [batch, channels, height, width] → [batch, channels, ...size]. Throws ShapeError. @torch torch.nn.functional.adaptive_max_pool2d */
export const adaptiveMaxPool2d = adaptiveMaxPool[1];
/** The largest of each of as many windows as `size` says; otherwise as adaptiveMaxPool2d. x: [batch, channels, depth, height, width] → [batch, channels, ...size]. Throws ShapeError. @torch torch.nn.functional.adaptive_max_pool3d */
export const adaptiveMaxPool3d = adaptiveMaxPool[2];

function spatialAxes(where: string, x: Node): number[] {
  if (x.shape.length < 3) refuse(ShapeError, where, "not images", x, "[batch, channels, ...extents]");
  return x.shape.slice(2).map((_, i) => 2 + i);
}

/** The mean of each channel over all its extents. x: [batch, channels, ...extents] → [batch, channels]. Throws ShapeError when there is nothing to average. @torch none: x.mean(axes); adaptive_avg_pool2d(x, 1) */
export function globalAvgPool(x: Node): Node {
  return mean(x, spatialAxes("globalAvgPool", x));
}

/** The largest of each channel over all its extents; NaN and gradient as maxPool2d. x: [batch, channels, ...extents] → [batch, channels]. Throws ShapeError where there is none. @torch none: x.amax(axes); adaptive_max_pool2d(x, 1) */
export function globalMaxPool(x: Node): Node {
  return firstMax(x, spatialAxes("globalMaxPool", x));
}

takes({ globalAvgPool, globalMaxPool }, { x: tensor });
