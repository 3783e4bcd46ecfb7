// Normalisation of channels, [batch, channels, ...]: over the batch, over each sample, or over groups of a sample's channels. Running statistics are what a
// layer in training has seen of its inputs, for evaluation: buffers, assigned by the forward pass, so that a compiled step updates them where it
// runs, and its checkpoint, digest and replay have them.
import { checkArguments, kind } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { either, flag, type Given, nonNegative, probability, type Read, word } from "../core/options.ts";
import { sizeOf } from "../core/shape.ts";
import { extentNames } from "../ops/per-axis.ts";
import { Variable } from "../program/variable.ts";
import { ones, zeros } from "../tensor/creation.ts";
import { cast, div, mean, stopGradient, sub, variance } from "../tensor/families/basic.ts";
import * as functions from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Rank } from "./images.ts";
import { checked, extent, factoryOf, layerOptions } from "./layer.ts";
import { Norm } from "./norm.ts";

/** A batch's share in running statistics; "cumulative": that of one among all batches so far. */
const momentumType = either(probability, word("cumulative"), 'a number in [0, 1], or "cumulative"');

/**
 * What layers that normalise channels by the batch or its samples have: running statistics, which follow the batches': running ← running·(1 − momentum) + batch·momentum.
 * The mean's and the variance's (n − 1 in its count, as PyTorch's) are [channels] each; `batchesTracked`, [] int32, is there where momentum is "cumulative".
 */
abstract class RunningNorm extends Norm {
  readonly runningMean?: Variable;
  readonly runningVariance?: Variable;
  readonly batchesTracked?: Variable;
  readonly channels: number;
  readonly momentum: number | "cumulative";

  constructor(where: string, channels: number, options: Read<typeof instanceRecord>) {
    const { momentum, trackRunningStats } = options;
    super(where, [channels], options);
    this.channels = channels;
    this.momentum = momentum;
    if (!trackRunningStats) return;
    this.runningMean = new Variable(zeros([channels]));
    this.runningVariance = new Variable(ones([channels]));
    if (momentum === "cumulative") this.batchesTracked = new Variable(zeros([], "int32"));
  }

  /** Takes a batch's mean and variance in, [channels] each; `correction` is what the variance is first multiplied by. */
  protected follow([mean, variance]: readonly [Tensor, Tensor], correction?: number): void {
    const { runningMean, runningVariance, batchesTracked, momentum } = this;
    const number = batchesTracked?.add(1);
    if (number) batchesTracked!.assign(number);
    const share = number ? div(1, cast(number, "float32")) : (momentum as number);
    const rest = typeof share === "number" ? 1 - share : sub(1, share);
    const blend = (into: Variable, batch: Tensor) => into.assign(into.mul(rest).add(stopGradient(batch).mul(share)));
    blend(runningMean!, mean);
    // Corrected here and not by who calls: the mean's nodes come first in the published graphs.
    blend(runningVariance!, correction === undefined ? variance : variance.mul(correction));
  }

  protected override describe(): string {
    return `(${this.channels})`;
  }
}

const batchRecord = (name: string) =>
  layerOptions(name, {
    /** Added to the variance. */
    epsilon: nonNegative.default(1e-5),
    /** The batch's share in the running statistics: running ← running·(1 − momentum) + batch·momentum; "cumulative": 1 ÷ the number of batches so far, so that they are the mean over all (PyTorch's None). */
    momentum: momentumType.default(0.1),
    /** Whether each channel has a weight and a bias. */
    affine: flag.default(true),
    /** Whether running statistics are kept; without them evaluation goes by the batch too. */
    trackRunningStats: flag.default(true),
  });
export type BatchNormOptions = Given<ReturnType<typeof batchRecord>>;

const batchBase = batchRecord("BatchNorm");
const rank = kind("1, 2 or 3", (value) => [1, 2, 3].includes(value as number));
const batchCall = /* @__PURE__ */ batchBase.call({ axes: rank, channels: extent });

/** (x − mean) · (weight ÷ √(variance + epsilon)) + bias for each channel (Ioffe and Szegedy 2015). x: [batch, channels, ...] → the same. `runningMean` and `runningVariance` (n − 1 in its count, as PyTorch's) are buffers, and `batchesTracked` where momentum is "cumulative"; weight starts as ones, bias as zeros. */
export class BatchNorm extends RunningNorm {
  /** How many axes follow the channels in what it takes. */
  readonly axes: Rank;

  constructor(axes: Rank, channels: number, options: BatchNormOptions = {}) {
    checkArguments(batchCall, arguments);
    super(`nn.batchNorm${axes}d`, channels, batchBase.fill(options));
    this.axes = axes;
  }

  protected override apply(inputs: Tensor): Tensor {
    const { where, axes, channels, weight, bias, epsilon, runningMean, runningVariance } = this;
    const { shape, rank } = inputs;
    if (shape[1] !== channels || !(rank === axes + 2 || (axes === 1 && rank === 2))) {
      const flat = axes === 1 ? "[batch, channels] or " : "";
      const expected = `${flat}[batch, channels, ${extentNames(axes)}] with ${channels} channels`;
      refuse(ShapeError, where, "inputs of another shape", inputs, expected);
    }
    if (!this.training && runningMean && runningVariance)
      return functions.batchNorm(inputs, runningMean, runningVariance, weight, bias, { epsilon });
    const { output, mean, variance } = functions.batchNormTraining(inputs, weight, bias, { epsilon });
    if (runningMean && runningVariance) {
      const count = sizeOf(shape) / channels;
      this.follow([mean, variance], count / (count - 1));
    }
    return output;
  }
}

/** What makes layers of so many axes behind the channels. */
/* @__NO_SIDE_EFFECTS__ */
function layersOf(axes: Rank) {
  const call = batchRecord(`batchNorm${axes}d`).call({ channels: extent });
  return (...given: [channels: number, options?: BatchNormOptions]): BatchNorm => {
    checkArguments(call, given);
    return new BatchNorm(axes, ...given);
  };
}

/**
 * Batch normalisation of [batch, channels] or [batch, channels, length]: `torch.nn.BatchNorm1d`.
 * @torch torch.nn.BatchNorm1d
 * @example nn.batchNorm1d(3).forward(zeros([2, 3, 5]))
 */
export const batchNorm1d = layersOf(1);

/**
 * Batch normalisation of images, [batch, channels, height, width]: `torch.nn.BatchNorm2d`.
 * @torch torch.nn.BatchNorm2d
 * @example nn.batchNorm2d(3).forward(zeros([2, 3, 5, 5]))
 */
export const batchNorm2d = layersOf(2);

/**
 * Batch normalisation of volumes, [batch, channels, depth, height, width]: `torch.nn.BatchNorm3d`.
 * @torch torch.nn.BatchNorm3d
 * @example nn.batchNorm3d(3).forward(zeros([2, 3, 4, 4, 4]))
 */
export const batchNorm3d = layersOf(3);

const instanceRecord = layerOptions("instanceNorm", {
  /** Added to the variance. */
  epsilon: nonNegative.default(1e-5),
  /** The share of a batch's mean statistics in the running ones: running ← running·(1 − momentum) + batch·momentum; "cumulative": 1 ÷ the number of batches so far, so that they are the mean over all (PyTorch's None, by which they stay as they were). */
  momentum: momentumType.default(0.1),
  /** Whether each channel has a weight and a bias. */
  affine: flag.default(false),
  /** Whether running statistics are kept, by which evaluation goes; without them it goes by each sample, as training does. */
  trackRunningStats: flag.default(false),
});
export type InstanceNormOptions = Given<typeof instanceRecord>;

const instanceCall = /* @__PURE__ */ instanceRecord.call({ channels: extent });

/** Each channel of each sample normalised by its own mean and variance (Ulyanov et al. 2016), then weight (ones at first) and bias (zeros) for each channel. x: [batch, channels, ...] → the same. `runningMean` and `runningVariance` are buffers: means over the batch, a variance's count being n − 1; so is `batchesTracked` where momentum is "cumulative". */
export class InstanceNorm extends RunningNorm {
  constructor(channels: number, options: InstanceNormOptions = {}) {
    super(checked(instanceCall, arguments), channels, instanceRecord.fill(options));
  }

  protected override apply(inputs: Tensor): Tensor {
    const { where, channels, weight, bias, epsilon, runningMean, runningVariance } = this;
    const { shape } = inputs;
    if (shape[1] !== channels)
      refuse(ShapeError, where, "inputs of another shape", inputs, `[batch, ${channels}, ...]`);
    if (!runningMean || !runningVariance) return functions.instanceNorm(inputs, weight, bias, { epsilon });
    if (!this.training) return functions.batchNorm(inputs, runningMean, runningVariance, weight, bias, { epsilon });
    if (sizeOf(shape.slice(2)) < 2) {
      const problem = "fewer than two values of a sample's channel: their variance says nothing";
      refuse(ShapeError, where, problem, inputs, "[batch, channels, ...] with two values or more for each");
    }
    const axis = shape.slice(2).map((_, i) => i + 2);
    this.follow([mean(mean(inputs, axis), 0), mean(variance(inputs, { axis, correction: 1 }), 0)]);
    return functions.instanceNorm(inputs, weight, bias, { epsilon });
  }
}

/**
 * Instance normalisation of [batch, channels, ...] with any number of further axes: `torch.nn.InstanceNorm1d` to `3d`, as there without weights unless `affine` and without running statistics unless `trackRunningStats`.
 * @torch torch.nn.InstanceNorm1d to 3d
 * @example nn.instanceNorm(4, { affine: true }).forward(zeros([2, 4, 5]))
 */
export const instanceNorm = /* @__PURE__ */ factoryOf(InstanceNorm);

const groupRecord = layerOptions("groupNorm", {
  /** Added to the variance. */
  epsilon: nonNegative.default(1e-5),
  /** Whether each channel has a weight and a bias. */
  affine: flag.default(true),
});
export type GroupNormOptions = Given<typeof groupRecord>;

const groupCall = /* @__PURE__ */ groupRecord.call({ groups: extent, channels: extent });

/** Each sample's channels in groups of neighbours, each group normalised by its own mean and variance (Wu and He 2018), then weight (ones at first) and bias (zeros) for each channel. x: [batch, channels, ...] → the same. */
export class GroupNorm extends Norm {
  readonly groups: number;
  readonly channels: number;

  constructor(groups: number, channels: number, options: GroupNormOptions = {}) {
    const where = checked(groupCall, arguments);
    if (channels % groups !== 0) {
      const got = `${channels} channels, ${groups} groups`;
      refuse(ShapeError, where, "channels must be divisible by groups", got, "a divisor of the channels");
    }
    super(where, [channels], groupRecord.fill(options));
    this.groups = groups;
    this.channels = channels;
  }

  protected override apply(inputs: Tensor): Tensor {
    const { groups, channels, weight, bias, epsilon } = this;
    if (inputs.shape[1] !== channels)
      refuse(ShapeError, this.where, "inputs of another shape", inputs, `[batch, ${channels}, ...]`);
    return functions.groupNorm(inputs, groups, weight, bias, { epsilon });
  }

  protected override describe(): string {
    return `(${this.channels} channels, ${this.groups} ${this.groups === 1 ? "group" : "groups"})`;
  }
}

/**
 * Group normalisation, of `channels` channels in `groups` groups: `torch.nn.GroupNorm`. Throws ShapeError unless groups divides channels.
 * @torch torch.nn.GroupNorm
 * @example nn.groupNorm(2, 4).forward(zeros([2, 4, 5]))
 */
export const groupNorm = /* @__PURE__ */ factoryOf(GroupNorm);
