// Running statistics: what a layer in training has seen of its inputs, for evaluation. They are buffers, assigned by the forward pass, so that a
// compiled step updates them where it runs, and its checkpoint, digest and replay have them.
import { either, probability, word } from "../core/options.ts";
import { Variable } from "../program/variable.ts";
import { ones, zeros } from "../tensor/creation.ts";
import { cast, div, stopGradient, sub } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Norm } from "./norm.ts";

/** A batch's share in running statistics; "cumulative": that of one among all batches so far. */
type Momentum = number | "cumulative";
/** The option that gives it. */
export const momentumOption = either(probability, word("cumulative"), 'a number in [0, 1], or "cumulative"').default(
  0.1,
);

interface ChannelNormOptions {
  readonly epsilon: number;
  readonly momentum: Momentum;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
}

/**
 * What layers that normalise channels have: running statistics, which follow the batches': running ← running·(1 − momentum) + batch·momentum.
 * The mean's and the variance's (n − 1 in its count, as PyTorch's) are [channels] each; `batchesTracked`, [] int32, is there where momentum is "cumulative".
 */
export abstract class ChannelNorm extends Norm {
  readonly runningMean?: Variable;
  readonly runningVariance?: Variable;
  readonly batchesTracked?: Variable;
  readonly channels: number;
  readonly momentum: Momentum;

  constructor(where: string, channels: number, options: ChannelNormOptions) {
    const { affine, epsilon, momentum, trackRunningStats } = options;
    super(where, { extents: [channels], weight: affine, bias: affine, epsilon });
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
