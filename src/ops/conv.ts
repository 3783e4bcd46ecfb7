// Convolutions over one, two and three dimensions: windows of a view and a product, all of one n-dimensional form; and their windows as columns. Images are
// [batch, channels, ...extents], filters as PyTorch's. A transposed convolution is a convolution's gradient with respect to its images.
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { biasKind, type Kind, number, options as optionsOf, takes, tensor } from "./arguments.ts";
import { broadcastTo } from "./define.ts";
import { add, mul } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { reshape, slice, swapAxes, transpose } from "./movement.ts";
import {
  type PerAxis,
  paddingKind,
  perAxis,
  perAxisKind,
  type WindowOptions,
  windowKinds,
  windowOptions,
} from "./per-axis.ts";
import { narrow } from "./precision.ts";
import { sum } from "./reduce.ts";
import { reachOf } from "./unfold.ts";
import { checkImages, foldWindows, gathered, perRank, type Windows, windowSpec, windowsOf } from "./window.ts";

/** How a convolution's windows lie, and which channels meet. */
export interface ConvOptions extends Omit<WindowOptions, "padding"> {
  /** Points added on both sides; "same": as many windows as points, at stride 1, an odd point behind; "valid": none. 0 unless given. */
  readonly padding?: PerAxis | "same" | "valid";
  /** Into how many groups channels are divided, each convolved by itself; 1 unless given. As many as input channels: depthwise. */
  readonly groups?: number;
}

/** How a transposed convolution's windows lie, and which channels meet. */
export interface ConvTransposeOptions extends WindowOptions {
  /** Points added behind, less than the stride or the dilation: which of the extents that one convolution takes to the same size is meant. */
  readonly outputPadding?: PerAxis;
  /** As in ConvOptions. */
  readonly groups?: number;
}

const filterNames = ["across", "down, across", "deep, down, across"];

/** Throws ShapeError unless filters, bias and groups fit. `first` and `second`: what the filters' leading axes are. */
function checkFilters(
  where: string,
  [weight, bias]: readonly [Node, Node | undefined],
  rank: number,
  sizes: Readonly<Record<"groups" | "grouped" | "outputs", number>> & { leading: string },
): void {
  const { groups, grouped, outputs, leading } = sizes;
  if (weight.shape.length !== rank + 2 || weight.shape.slice(2).includes(0)) {
    const expected = `[${leading}, ${filterNames[rank - 1]}], extents ≥ 1`;
    refuse(ShapeError, where, "not a filter an output channel", weight, expected);
  }
  if (!Number.isSafeInteger(groups) || groups < 1 || grouped % groups !== 0) {
    const got = `${grouped} channels, groups ${groups}`;
    refuse(ShapeError, where, "channels don't divide into groups", got, `a divisor of ${grouped}`);
  }
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs))
    refuse(ShapeError, where, "not a bias an output channel", bias, `[${outputs}]`);
}

const withBias = (out: Node, bias: Node | undefined): Node =>
  bias ? add(out, broadcastTo(reshape(bias, [out.shape[1], ...out.shape.slice(2).map(() => 1)]), out.shape)) : out;

/** Padding by which there are as many windows as points, [before, after] for each axis. */
function samePadding(where: string, { size, stride, dilation }: Windows): (readonly [number, number])[] {
  const added = size.map((points, i) => reachOf(points, dilation[i]) - 1);
  if (stride.some((step) => step !== 1)) {
    const hint = `give it as a number: windows of [${size}] with dilation [${dilation}] overlap [${added}] points`;
    refuse(ShapeError, where, 'padding "same" is for stride 1', `stride [${stride}]`, "stride 1", hint);
  }
  return added.map((points) => [Math.floor(points / 2), Math.ceil(points / 2)]);
}

function convolve(where: string, rank: number, x: Node, weight: Node, bias?: Node, options: ConvOptions = {}): Node {
  const { padding = 0, groups = 1 } = options;
  const [outputs, inputs, ...size] = weight.shape;
  checkFilters(where, [weight, bias], rank, { groups, grouped: outputs, outputs, leading: "out, in" });
  checkImages(where, x, rank, inputs * groups);
  const given = windowSpec(where, rank, size, { ...options, padding: typeof padding === "string" ? 0 : padding });
  const windows = padding === "same" ? { ...given, padding: samePadding(where, given) } : given;
  if (groups > 1 && inputs === 1)
    return withBias(depthwise(windowsOf(where, narrow(x), windows, 0), narrow(weight)), bias);
  const [batch, , ...extents] = x.shape;
  // Groups stand beside the images of the batch: each is a product of its own.
  const images = windowsOf(where, reshape(x, [batch * groups, inputs, ...extents]), windows, 0);
  const counts = images.shape.slice(2).filter((_, i) => i % 2 === 0);
  const depth = inputs * sizeOf(size);
  const positions = sizeOf(counts);
  const lead = groups > 1 ? [groups] : [];
  const filters = reshape(transpose(weight, [0, ...size.map((_, i) => 2 + i), 1]), [...lead, outputs / groups, depth]);
  const points = gathered(images, { first: [0], last: [1] });
  const out = matmul(filters, reshape(points, [batch, ...lead, depth, positions]));
  return withBias(reshape(out, [batch, outputs, ...counts]), bias);
}

/**
 * One input channel a group: a product of depth k would be a vector by a matrix, so each output is a sum over its window instead, in a product's
 * order, with neighbours along the width side by side. Filters are the outermost axes of the terms: their gradient is then a sum over the last axes.
 * windows: [batch, channels, n₁, k₁, …], weight: [channels · m, 1, k₁, …] → [batch, channels · m, n₁, …].
 */
function depthwise(windows: Node, weight: Node): Node {
  const [batch, channels] = windows.shape;
  const [outputs, , ...size] = weight.shape;
  const of = gathered(windows, { first: [1], last: [0] });
  const counts = of.shape.slice(2 + size.length);
  const terms = [channels, outputs / channels, ...size, batch, ...counts];
  const filters = reshape(weight, [...terms.slice(0, 2), ...size, 1, ...counts.map(() => 1)]);
  const products = mul(broadcastTo(reshape(of, [channels, 1, ...terms.slice(2)]), terms), broadcastTo(filters, terms));
  const taps = size.map((_, i) => 2 + i);
  const last = 2 + size.length;
  const beside = transpose(products, [last, 0, 1, ...taps, ...counts.map((_, i) => last + 1 + i)]);
  const out = sum(beside, { axis: taps.map((axis) => axis + 1) });
  return narrow(reshape(out, [batch, outputs, ...counts]));
}

function convolveTransposed(
  where: string,
  rank: number,
  x: Node,
  weight: Node,
  bias?: Node,
  options: ConvTransposeOptions = {},
): Node {
  const { outputPadding = 0, groups = 1 } = options;
  const [inputs, outputsPerGroup, ...size] = weight.shape;
  const outputs = outputsPerGroup * groups;
  checkFilters(where, [weight, bias], rank, { groups, grouped: inputs, outputs, leading: "in, out" });
  checkImages(where, x, rank, inputs);
  const { stride, dilation, padding } = windowSpec(where, rank, size, options);
  const before = padding.map(([points]) => points);
  const behind = perAxis(where, "outputPadding", outputPadding, rank, 0);
  const [batch, , ...counts] = x.shape;
  const extents = counts.map(
    (count, i) => (count - 1) * stride[i] + reachOf(size[i], dilation[i]) + behind[i] - 2 * before[i],
  );
  if (behind.some((points, i) => points >= Math.max(stride[i], dilation[i])) || extents.some((extent) => extent < 1)) {
    const got = `padding [${before}] and outputPadding [${behind}], which give ${formatShape(extents)}`;
    const expected = "extents ≥ 1, and an outputPadding less than the stride or the dilation";
    refuse(ShapeError, where, "no output of this size", got, expected);
  }
  const lead = groups > 1 ? [groups] : [];
  const depth = outputsPerGroup * sizeOf(size);
  const positions = sizeOf(counts);
  // Terms in conv2d's order, so that each is the other's gradient to the last bit.
  const taps = size.map((_, i) => i);
  const ordered = transpose(weight, [0, ...taps.map((i) => 2 + i), 1]);
  const filters = swapAxes(reshape(ordered, [...lead, inputs / groups, depth]));
  const columns = matmul(filters, reshape(x, [batch, ...lead, inputs / groups, positions]));
  const apart = reshape(columns, [batch * groups, ...size, outputsPerGroup, ...counts]);
  const windows = transpose(apart, [0, 1 + rank, ...taps.map((i) => 1 + i), ...taps.map((i) => 2 + rank + i)]);
  const reached = extents.map((extent, i) => before[i] + extent);
  const whole = reshape(foldWindows(windows, reached, { stride, dilation }), [batch, outputs, ...reached]);
  const kept = slice(whole, [null, null, ...reached.map((end, i): [number, number] => [before[i], end])]);
  return withBias(kept, bias);
}

const shared = { ...windowKinds, "groups?": number };
const taken = (of: Kind) => ({ x: tensor, weight: tensor, "bias?": biasKind, "options?": of });
const convolutions = perRank("conv", taken(optionsOf<ConvOptions>({ ...shared, "padding?": paddingKind })), convolve);
const transposedOptions = optionsOf<ConvTransposeOptions>({ ...shared, "outputPadding?": perAxisKind });
const transposed = perRank("convTranspose", taken(transposedOptions), convolveTransposed);

/**
 * Cross-correlation of sequences with a filter an output channel, plus bias, as PyTorch's conv1d. x: [batch, in, length], weight:
 * [out, in ÷ groups, across], bias: [out] → [batch, out, columns]. Sums as conv2d's. Throws ShapeError.
 * @torch torch.nn.functional.conv1d
 */
export const conv1d = convolutions[0];

/**
 * Cross-correlation of images with a filter an output channel, plus bias, as PyTorch's conv2d. x: [batch, in, height, width], weight: [out, in ÷ groups,
 * down, across], bias: [out] → [batch, out, rows, columns]. Each sum runs over (down, across, in) in a matrix product's order. Throws ShapeError.
 * @torch torch.nn.functional.conv2d
 */
export const conv2d = convolutions[1];

/**
 * Cross-correlation of volumes with a filter an output channel, plus bias, as PyTorch's conv3d. x: [batch, in, depth, height, width], weight:
 * [out, in ÷ groups, deep, down, across], bias: [out] → [batch, out, layers, rows, columns]. Sums as conv2d's. Throws ShapeError.
 * @torch torch.nn.functional.conv3d
 */
export const conv3d = convolutions[2];

/**
 * The gradient of conv1d with respect to its input, as an op, plus bias; as PyTorch's conv_transpose1d. x: [batch, in, length], weight:
 * [in, out ÷ groups, across], bias: [out] → [batch, out, (length − 1) · stride − 2 · padding + dilation · (across − 1) + outputPadding + 1].
 * Sums over the channels in a matrix product's order, then over windows that overlap, as conv2d's gradient. Throws ShapeError.
 * @torch torch.nn.functional.conv_transpose1d
 */
export const convTranspose1d = transposed[0];

/**
 * The gradient of conv2d with respect to its input, as an op, plus bias; as PyTorch's conv_transpose2d. x: [batch, in, height, width], weight:
 * [in, out ÷ groups, down, across], bias: [out] → [batch, out, rows, columns]; extents and sums as convTranspose1d's. Throws ShapeError.
 * @torch torch.nn.functional.conv_transpose2d
 */
export const convTranspose2d = transposed[1];

/**
 * The gradient of conv3d with respect to its input, as an op, plus bias; as PyTorch's conv_transpose3d. x: [batch, in, depth, height, width], weight:
 * [in, out ÷ groups, deep, down, across], bias: [out] → [batch, out, layers, rows, columns]; extents and sums as convTranspose1d's. Throws ShapeError.
 * @torch torch.nn.functional.conv_transpose3d
 */
export const convTranspose3d = transposed[2];

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
