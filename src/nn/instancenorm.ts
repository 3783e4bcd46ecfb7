// Instance normalisation: each sample by itself, or in evaluation by running statistics where they are kept.
import { refuse, ShapeError } from "../core/errors.ts";
import { flag, type Given, nonNegative } from "../core/options.ts";
import { sizeOf } from "../core/shape.ts";
import { mean, variance } from "../tensor/families/basic.ts";
import { instanceNorm as apply, batchNorm } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ChannelNorm, momentumOption } from "./channelnorm.ts";
import { extent, layerOptions } from "./check.ts";
import { checked, factoryOf } from "./layer.ts";

const record = layerOptions("instanceNorm", {
  /** Added to the variance. */
  epsilon: nonNegative.default(1e-5),
  /** The share of a batch's mean statistics in the running ones: running ← running·(1 − momentum) + batch·momentum; "cumulative": 1 ÷ the number of batches so far, so that they are the mean over all (PyTorch's None, by which they stay as they were). */
  momentum: momentumOption,
  /** Whether each channel has a weight and a bias. */
  affine: flag.default(false),
  /** Whether running statistics are kept, by which evaluation goes; without them it goes by each sample, as training does. */
  trackRunningStats: flag.default(false),
});
export type InstanceNormOptions = Given<typeof record>;

const call = record.call({ channels: extent });

/** Each channel of each sample normalised by its own mean and variance (Ulyanov et al. 2016), then weight (ones at first) and bias (zeros) for each channel. x: [batch, channels, ...] → the same. `runningMean` and `runningVariance` are buffers: means over the batch, a variance's count being n − 1; so is `batchesTracked` where momentum is "cumulative". */
export class InstanceNorm extends ChannelNorm {
  constructor(channels: number, options: InstanceNormOptions = {}) {
    super(checked(call, arguments), channels, record.fill(options));
  }

  protected override apply(inputs: Tensor): Tensor {
    const { where, channels, weight, bias, epsilon, runningMean, runningVariance } = this;
    const { shape } = inputs;
    if (shape[1] !== channels)
      refuse(ShapeError, where, "inputs of another shape", inputs, `[batch, ${channels}, ...]`);
    if (!runningMean || !runningVariance) return apply(inputs, weight, bias, { epsilon });
    if (!this.training) return batchNorm(inputs, runningMean, runningVariance, weight, bias, { epsilon });
    if (sizeOf(shape.slice(2)) < 2) {
      const problem = "fewer than two values of a sample's channel: their variance says nothing";
      refuse(ShapeError, where, problem, inputs, "[batch, channels, ...] with two values or more for each");
    }
    const axis = shape.slice(2).map((_, i) => i + 2);
    this.follow([mean(mean(inputs, axis), 0), mean(variance(inputs, { axis, correction: 1 }), 0)]);
    return apply(inputs, weight, bias, { epsilon });
  }
}

/**
 * Instance normalisation of [batch, channels, ...] with any number of further axes: `torch.nn.InstanceNorm1d` to `3d`, as there without weights unless `affine` and without running statistics unless `trackRunningStats`.
 * @torch torch.nn.InstanceNorm1d to 3d
 * @example nn.instanceNorm(4, { affine: true }).forward(zeros([2, 4, 5]))
 */
export const instanceNorm = factoryOf(InstanceNorm);
