// Batch normalisation: by the batch in training, by running statistics in evaluation.
import { checkArguments, kind } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { flag, type Given, nonNegative } from "../core/options.ts";
import { sizeOf } from "../core/shape.ts";
import { extentNames } from "../ops/per-axis.ts";
import { batchNorm, batchNormTraining } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ChannelNorm, momentumOption } from "./channelnorm.ts";
import { extent, layerOptions } from "./check.ts";
import type { Rank } from "./images.ts";

const record = (name: string) =>
  layerOptions(name, {
    /** Added to the variance. */
    epsilon: nonNegative.default(1e-5),
    /** The batch's share in the running statistics: running ← running·(1 − momentum) + batch·momentum; "cumulative": 1 ÷ the number of batches so far, so that they are the mean over all (PyTorch's None). */
    momentum: momentumOption,
    /** Whether each channel has a weight and a bias. */
    affine: flag.default(true),
    /** Whether running statistics are kept; without them evaluation goes by the batch too. */
    trackRunningStats: flag.default(true),
  });
export type BatchNormOptions = Given<ReturnType<typeof record>>;

const base = record("BatchNorm");
const call = base.call({ axes: kind("1, 2 or 3", (value) => [1, 2, 3].includes(value as number)), channels: extent });

/** (x − mean) · (weight ÷ √(variance + epsilon)) + bias for each channel (Ioffe and Szegedy 2015). x: [batch, channels, ...] → the same. `runningMean` and `runningVariance` (n − 1 in its count, as PyTorch's) are buffers, and `batchesTracked` where momentum is "cumulative"; weight starts as ones, bias as zeros. */
export class BatchNorm extends ChannelNorm {
  /** How many axes follow the channels in what it takes. */
  readonly axes: Rank;

  constructor(axes: Rank, channels: number, options: BatchNormOptions = {}) {
    checkArguments(call, arguments);
    super(`nn.batchNorm${axes}d`, channels, base.fill(options));
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
      return batchNorm(inputs, runningMean, runningVariance, weight, bias, { epsilon });
    const { output, mean, variance } = batchNormTraining(inputs, weight, bias, { epsilon });
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
  const call = record(`batchNorm${axes}d`).call({ channels: extent });
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
