// Windows over the extents of [batch, channels, ...extents], as views: what convolutions and poolings of one, two and three dimensions read.
import { refuse, ShapeError } from "../core/errors.ts";
import { type Shape, withExtent } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { type Kinds, takes } from "./arguments.ts";
import { moveAxis } from "./axes.ts";
import { reshape, slice, transpose } from "./movement.ts";
import { pad } from "./pad.ts";
import { extentNames, type PerAxis, perAxis, type WindowOptions } from "./per-axis.ts";
import { fold, reachOf, unfold } from "./unfold.ts";

/** One size, stride … an axis. */
export interface Windows {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Points added [before, after]. */
  readonly padding: readonly (readonly [number, number])[];
}

/** The functions `${family}1d`, `2d` and `3d` of one computation, which is told its name and its rank before what they are given. */
export function perRank<Given extends readonly unknown[]>(
  family: string,
  parameters: Kinds,
  compute: (where: string, rank: number, ...given: Given) => Node,
): ((...given: Given) => Node)[] {
  return [1, 2, 3].map((rank) => {
    const where = `${family}${rank}d`;
    const apply = (...given: Given) => compute(where, rank, ...given);
    const hint = "options?" in parameters ? "stride, padding and the like go by name" : undefined;
    takes({ [where]: apply }, parameters, hint);
    return apply;
  });
}

/** Windows of `size` points as the options say. Throws ShapeError unless sizes, strides and dilations are counts and paddings integers ≥ 0, one or one for each axis. */
export function windowSpec(
  where: string,
  rank: number,
  size: PerAxis,
  { stride = 1, padding = 0, dilation = 1 }: WindowOptions = {},
): Windows {
  return {
    size: perAxis(where, "size", size, rank, 1),
    stride: perAxis(where, "stride", stride, rank, 1),
    dilation: perAxis(where, "dilation", dilation, rank, 1),
    padding: perAxis(where, "padding", padding, rank, 0).map((points) => [points, points]),
  };
}

/** Throws ShapeError unless x is [batch, channels, ...extents] of so many dimensions. */
export function checkImages(where: string, x: Node, rank: number, channels?: number): void {
  if (x.shape.length === rank + 2 && (channels === undefined || x.shape[1] === channels)) return;
  refuse(ShapeError, where, "not images", x, `[batch, ${channels ?? "channels"}, ${extentNames(rank)}]`);
}

/** [batch, channels, ...extents] → [batch, channels, n₁, k₁, n₂, k₂, …]: for each axis which window, and which of its points. Throws ShapeError where none fits. */
export function windowsOf(where: string, x: Node, { size, stride, dilation, padding }: Windows, fill: number): Node {
  const extents = x.shape.slice(2).map((extent, i) => padding[i][0] + extent + padding[i][1]);
  const reach = size.map((points, i) => reachOf(points, dilation[i]));
  if (reach.some((points, i) => points > extents[i])) {
    const problem = "a window larger than the image";
    refuse(ShapeError, where, problem, `${reach.join("×")} over ${extents.join("×")}`, "at least one window");
  }
  const padded = pad(x, [[0, 0], [0, 0], ...padding], fill);
  const counts = extents.map((extent, i) => Math.floor((extent - reach[i]) / stride[i]) + 1);
  if (size.every((points, i) => points === stride[i] && dilation[i] === 1)) {
    // Windows that don't overlap are the image in another shape.
    const whole = slice(padded, [null, null, ...counts.map((count, i): [number, number] => [0, count * size[i]])]);
    return reshape(whole, [...x.shape.slice(0, 2), ...counts.flatMap((count, i) => [count, size[i]])]);
  }
  // Each unfold but the last keeps the image's columns innermost, for its gradient's sake.
  return size.reduce((windows, points, i) => {
    const axis = 2 + 2 * i;
    const unfolded = unfold(windows, axis, points, stride[i], dilation[i]);
    // Beside its count.
    return axis + 2 === unfolded.shape.length ? unfolded : moveAxis(unfolded, -1, axis + 1);
  }, padded);
}

/** [batch, channels, n₁, k₁, n₂, k₂, …] → the axes given first, then k₁, k₂, …, then those given last, n₁, n₂, …. */
export function gathered(windows: Node, order: { readonly first: Shape; readonly last: Shape }): Node {
  const rank = (windows.shape.length - 2) / 2;
  const axes = Array.from({ length: rank }, (_, i) => 2 + 2 * i);
  return transpose(windows, [...order.first, ...axes.map((axis) => axis + 1), ...order.last, ...axes]);
}

/** [batch, channels, k₁, …, n₁, …] → [batch, channels, ...extents]: windows added up where they lie, along the last axis first. */
export function foldWindows(
  windows: Node,
  extents: Shape,
  { stride, dilation }: Pick<Windows, "stride" | "dilation">,
): Node {
  return extents.reduceRight((x, extent, i) => {
    // [batch, channels, k₁ … kᵢ, n₁ … nᵢ, folded …]
    const at = 2 + i;
    const beside = moveAxis(x, at, -1);
    const axis = at + i;
    const shape = withExtent(beside.shape.slice(0, -1), axis, extent);
    return fold(beside, shape, { axis, size: x.shape[at], step: stride[i], dilation: dilation[i] });
  }, windows);
}
