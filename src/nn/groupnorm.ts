// Group normalisation. It knows no batch: training and evaluation are the same.
import { refuse, ShapeError } from "../core/errors.ts";
import { flag, type Given, nonNegative } from "../core/options.ts";
import { groupNorm as apply } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { extent, layerOptions } from "./check.ts";
import { checked, factoryOf } from "./layer.ts";
import { Norm } from "./norm.ts";

const record = layerOptions("groupNorm", {
  /** Added to the variance. */
  epsilon: nonNegative.default(1e-5),
  /** Whether each channel has a weight and a bias. */
  affine: flag.default(true),
});
export type GroupNormOptions = Given<typeof record>;

const call = record.call({ groups: extent, channels: extent });

/** Each sample's channels in groups of neighbours, each group normalised by its own mean and variance (Wu and He 2018), then weight (ones at first) and bias (zeros) for each channel. x: [batch, channels, ...] → the same. */
export class GroupNorm extends Norm {
  readonly groups: number;
  readonly channels: number;

  constructor(groups: number, channels: number, options: GroupNormOptions = {}) {
    const where = checked(call, arguments);
    if (channels % groups !== 0) {
      const got = `${channels} channels, ${groups} groups`;
      refuse(ShapeError, where, "channels must be divisible by groups", got, "a divisor of the channels");
    }
    const { epsilon, affine } = record.fill(options);
    super(where, { extents: [channels], weight: affine, bias: affine, epsilon });
    this.groups = groups;
    this.channels = channels;
  }

  protected override apply(inputs: Tensor): Tensor {
    const { groups, channels, weight, bias, epsilon } = this;
    if (inputs.shape[1] !== channels)
      refuse(ShapeError, this.where, "inputs of another shape", inputs, `[batch, ${channels}, ...]`);
    return apply(inputs, groups, weight, bias, { epsilon });
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
export const groupNorm = factoryOf(GroupNorm);
