// Running statistics: what a layer in training has seen of its inputs, for evaluation. They are buffers, assigned by the forward pass, so that a
// compiled step updates them where it runs, and its checkpoint, digest and replay have them.
import { either, probability, word } from "../core/options.ts";
import { Variable } from "../program/variable.ts";
import { ones, zeros } from "../tensor/creation.ts";
import { cast, div, stopGradient, sub } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A batch's share in running statistics; "cumulative": that of one among all batches so far. */
export type Momentum = number | "cumulative";
/** The option that gives it. */
export const momentumOption = either(probability, word("cumulative"), 'a number in [0, 1], or "cumulative"').default(
  0.1,
);

/** Mean and variance of each channel (n − 1 in its count, as PyTorch's), which follow those of batches: running ← running·(1 − momentum) + batch·momentum. */
export interface Running {
  readonly runningMean?: Variable;
  readonly runningVariance?: Variable;
  /** [] int32, where momentum is "cumulative". */
  readonly batchesTracked?: Variable;
}

/** Statistics of nothing yet: means 0, variances 1. */
export const running = (channels: number, momentum: Momentum): Running => ({
  runningMean: new Variable(zeros([channels])),
  runningVariance: new Variable(ones([channels])),
  ...(momentum === "cumulative" && { batchesTracked: new Variable(zeros([], "int32")) }),
});

/** Takes a batch's mean and variance in, [channels] each; `correction` is what the variance is first multiplied by. */
export function follow(
  { runningMean, runningVariance, batchesTracked }: Running,
  momentum: Momentum,
  [mean, variance]: readonly [Tensor, Tensor],
  correction?: number,
): void {
  const number = batchesTracked?.add(1);
  if (number) batchesTracked!.assign(number);
  const share = number ? div(1, cast(number, "float32")) : (momentum as number);
  const rest = typeof share === "number" ? 1 - share : sub(1, share);
  const blend = (into: Variable, batch: Tensor) => into.assign(into.mul(rest).add(stopGradient(batch).mul(share)));
  blend(runningMean!, mean);
  // Corrected here and not by who calls: the mean's nodes come first in the published graphs.
  blend(runningVariance!, correction === undefined ? variance : variance.mul(correction));
}
