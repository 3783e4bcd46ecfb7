// Normalisation as composites: centred or not, divided by a root of a mean of squares, two passes. Statistics over a batch are sums over the last
// axes and then over the batch, so that both have the fast orders of contiguous and strided reductions.
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { biasKind, number, options, takes, tensor } from "./arguments.ts";
import { broadcastTo } from "./define.ts";
import { add, div, mul, sqrt, sub } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { mean, sum } from "./reduce.ts";

/** What is added to the variance. Throws ShapeError unless it is a number ≥ 0. */
function epsilonOf(where: string, { epsilon = 1e-5 }: NormOptions): number {
  if (epsilon >= 0 && epsilon < Infinity) return epsilon;
  throw new ShapeError({ where, problem: "epsilon is out of range", got: String(epsilon), expected: "a number ≥ 0" });
}

/** The last axes of `weight`'s rank. Throws ShapeError unless they are of its extents. */
function lastAxes(where: string, x: Node, weight: Node): number[] {
  const rank = weight.shape.length;
  if (formatShape(x.shape.slice(x.shape.length - rank)) !== formatShape(weight.shape))
    refuse(ShapeError, where, "the last axes aren't the weight's", x, `[..., ${weight.shape.join(", ")}]`);
  return weight.shape.map((_, i) => i - rank);
}

/** Throws ShapeError unless x is [batch, channels, ...] and each of the others [channels]. */
function checkChannels(where: string, x: Node, others: Readonly<Record<string, Node | undefined>>): void {
  const [, channels] = x.shape;
  const [what, wrong] = Object.entries(others).find(
    ([, other]) => other && !(other.shape.length === 1 && other.shape[0] === channels),
  ) ?? ["x", undefined];
  if (x.shape.length >= 2 && !wrong) return;
  const problem = wrong ? `${what} isn't a number for each channel` : "no batch of channels";
  const got = wrong ? `${formatShape(wrong.shape)} with x: ${formatShape(x.shape)}` : formatShape(x.shape);
  refuse(ShapeError, where, problem, got, wrong && x.shape.length >= 2 ? `[${channels}]` : "x: [batch, channels, ...]");
}

/** x − its mean over axes. */
const centred = (x: Node, axis: number | readonly number[]) => sub(x, mean(x, { axis, keepDims: true }));

/** x ÷ √(mean of x² + epsilon) over axes. */
function unit(x: Node, axis: number | readonly number[], epsilon: number): Node {
  return div(x, sqrt(add(mean(mul(x, x), { axis, keepDims: true }), epsilon)));
}

/** [channels] stretched over the batch alone: against [batch, channels, ...] its gradient is summed over the last axes, then over the batch. */
function perChannel(values: Node, x: Node): Node {
  const [batch, channels] = x.shape;
  const ones = x.shape.slice(2).map(() => 1);
  return broadcastTo(reshape(values, [1, channels, ...ones]), [batch, channels, ...ones]);
}

function channelMean(x: Node): Node {
  const [batch, channels] = x.shape;
  const axis = x.shape.slice(2).map((_, i) => i + 2);
  const rows = axis.length > 0 ? sum(x, { axis }) : reshape(x, [batch, channels]);
  return div(sum(rows, { axis: 0 }), sizeOf(x.shape) / channels);
}

function scaled(x: Node, variance: Node, { weight, bias, epsilon }: Affine): Node {
  const deviation = sqrt(add(variance, epsilon));
  const out = mul(x, perChannel(div(weight ?? 1, deviation), x));
  return bias ? add(out, perChannel(bias, x)) : out;
}

interface Affine {
  readonly weight: Node | undefined;
  readonly bias: Node | undefined;
  readonly epsilon: number;
}

/** (x − mean) ÷ √(variance + epsilon) over the last axes of `weight`'s rank, times weight plus bias (Ba et al. 2016); two passes. @torch torch.nn.functional.layer_norm */
export function layerNorm(x: Node, weight: Node, bias: Node | undefined, epsilon = 1e-5): Node {
  epsilonOf("layerNorm", { epsilon });
  const axis = lastAxes("layerNorm", x, weight);
  const out = mul(unit(centred(x, axis), axis, epsilon), weight);
  return bias ? add(out, bias) : out;
}

/** x ÷ √(mean of x² + epsilon) over the last axes of `weight`'s rank, times weight (Zhang and Sennrich 2019). `epsilon`: 2⁻²³ unless given, as PyTorch's. x: [..., ...weight.shape] → the same. @torch torch.nn.functional.rms_norm */
export function rmsNorm(x: Node, weight: Node, epsilon: number = 2 ** -23): Node {
  epsilonOf("rmsNorm", { epsilon });
  const axis = lastAxes("rmsNorm", x, weight);
  return mul(unit(x, axis, epsilon), weight);
}

/**
 * (x − mean) · (weight ÷ √(variance + epsilon)) + bias for each channel, by statistics that are given (Ioffe and Szegedy 2015): what a trained
 * network computes. x: [batch, channels, ...] → the same; mean, variance, weight and bias: [channels].
 * @torch torch.nn.functional.batch_norm, training=False
 */
export function batchNorm(
  x: Node,
  mean: Node,
  variance: Node,
  weight?: Node,
  bias?: Node,
  options: NormOptions = {},
): Node {
  const epsilon = epsilonOf("batchNorm", options);
  checkChannels("batchNorm", x, { mean, variance, weight, bias });
  return scaled(sub(x, perChannel(mean, x)), variance, { weight, bias, epsilon });
}

export interface NormOptions {
  /** Added to the variance, ≥ 0; 1e-5 unless given. */
  readonly epsilon?: number;
}

/** What `batchNormTraining` gives. */
export interface BatchNormed {
  readonly output: Node;
  /** [channels]. */
  readonly mean: Node;
  /** [channels]: the mean of squared deviations, the count being n. */
  readonly variance: Node;
}

/**
 * As `batchNorm`, by the batch's own mean and variance (two passes; the count is n), which it gives too: what a network in training computes. Gradients
 * flow through the statistics. x: [batch, channels, ...]. Throws ShapeError where a channel has fewer than two values.
 * @torch torch.nn.functional.batch_norm, training=True
 */
export function batchNormTraining(x: Node, weight?: Node, bias?: Node, options: NormOptions = {}): BatchNormed {
  const epsilon = epsilonOf("batchNormTraining", options);
  checkChannels("batchNormTraining", x, { weight, bias });
  if (!(sizeOf(x.shape) / x.shape[1] >= 2)) {
    const problem = "fewer than two values of a channel: their variance says nothing";
    const expected = "[batch, channels, ...] with two values or more for each channel";
    const hint = "a larger batch (dropLast), or evaluation: model.eval()";
    refuse(ShapeError, "batchNormTraining", problem, x, expected, hint);
  }
  const mean = channelMean(x);
  const left = sub(x, perChannel(mean, x));
  const variance = channelMean(mul(left, left));
  return { output: scaled(left, variance, { weight, bias, epsilon }), mean, variance };
}

/**
 * Each sample's channels in `groups` groups of neighbours, each normalised by its own mean and variance (Wu and He 2018), then weight and bias for each
 * channel. x: [batch, channels, ...] → the same; weight and bias: [channels]. Throws ShapeError unless groups divides channels.
 * @torch torch.nn.functional.group_norm
 */
export function groupNorm(x: Node, groups: number, weight?: Node, bias?: Node, options: NormOptions = {}): Node {
  const epsilon = epsilonOf("groupNorm", options);
  checkChannels("groupNorm", x, { weight, bias });
  const [batch, channels] = x.shape;
  if (!(Number.isSafeInteger(groups) && groups >= 1 && channels % groups === 0)) {
    const problem = "channels must be divisible by groups";
    refuse(ShapeError, "groupNorm", problem, `${channels} channels, ${groups} groups`, "a divisor of the channels");
  }
  const rows = reshape(x, [batch, groups, sizeOf(x.shape.slice(1)) / groups]);
  const normed = reshape(unit(centred(rows, 2), 2, epsilon), x.shape);
  const out = weight ? mul(normed, perChannel(weight, x)) : normed;
  return bias ? add(out, perChannel(bias, x)) : out;
}

/** Each channel of each sample normalised by its own mean and variance (Ulyanov et al. 2016): `groupNorm` of one channel a group. x: [batch, channels, ...] → the same. @torch torch.nn.functional.instance_norm */
export function instanceNorm(x: Node, weight?: Node, bias?: Node, options: NormOptions = {}): Node {
  checkChannels("instanceNorm", x, { weight, bias });
  return groupNorm(x, x.shape[1], weight, bias, options);
}

const affine = { "weight?": biasKind, "bias?": biasKind };
const epsilonOption = { "options?": options<NormOptions>({ "epsilon?": number }) };
takes({ layerNorm }, { x: tensor, weight: tensor, "bias?": biasKind, "epsilon?": number });
takes({ rmsNorm }, { x: tensor, weight: tensor, "epsilon?": number });
takes({ batchNorm }, { x: tensor, mean: tensor, variance: tensor, ...affine, ...epsilonOption });
takes({ batchNormTraining, instanceNorm }, { x: tensor, ...affine, ...epsilonOption });
takes({ groupNorm }, { x: tensor, groups: number, ...affine, ...epsilonOption });
