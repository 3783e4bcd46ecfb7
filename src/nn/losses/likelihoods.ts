// Losses of numbers that are drawn from a distribution: −log of how likely the targets are under what a model says of it.
import { refuse, ShapeError } from "../../core/errors.ts";
import { flag, type Given, positive } from "../../core/options.ts";
import { sameShape } from "../../core/shape.ts";
import * as functions from "../../tensor/families/basic.ts";
import { lossOfPairs, lossOfTerms, lossOptions, targetsOf } from "./loss.ts";

const full = {
  /** Whether what doesn't depend on the outputs is in it too. */
  full: flag.default(false),
} as const;

const gaussianRecord = lossOptions("gaussian_nll", "losses.gaussianNll", {
  ...full,
  /** The least variance: a smaller one counts as this, and has no gradient. */
  epsilon: positive.default(1e-6),
});
export type GaussianNllOptions = Given<typeof gaussianRecord>;

/** log 2π, a float64. */
const log2Pi = 1.8378770664093453;

/** ½·(log v + (m − t)² ÷ v), and ½·log 2π where `full`, for the mean m and the variance v of a normal (Nix & Weigend 1994; PyTorch's gaussian_nll_loss, which has them apart). outputs: [..., 2], m and v = outputs[..., 1], which must be > 0: softplus or exp of what a model says; targets: [...]. */
export const gaussianNll = lossOfTerms(gaussianRecord, (outputs, batch, { full: whole, epsilon }, where) => {
  const targets = targetsOf(where, batch);
  if (!sameShape(outputs.shape, [...targets.shape, 2])) {
    const problem = "not a mean and a variance for each target";
    refuse(ShapeError, where, problem, [outputs, targets], "[..., 2] and [...]", "stack([mean, variance], -1)");
  }
  const [mean, raw] = [0, 1].map((i) => outputs.slice([...targets.shape.map(() => null), i]));
  const variance = functions.maximum(raw, epsilon);
  const difference = mean.sub(functions.cast(targets, "float32"));
  const terms = functions.log(variance).add(difference.mul(difference).div(variance)).mul(0.5);
  return whole ? terms.add(0.5 * log2Pi) : terms;
});

const poissonRecord = lossOptions("poisson_nll", "losses.poissonNll", {
  /** Whether outputs are logarithms of rates. */
  logInput: flag.default(true),
  ...full,
  /** Added to a rate before its logarithm is taken. */
  epsilon: positive.default(1e-8),
});
export type PoissonNllOptions = Given<typeof poissonRecord>;

/** eˣ − t·x for the logarithm x of a rate, or r − t·log(r + ε) for the rate; where `full`, Stirling's t·log t − t + ½·log(2πt) for t > 1 too (PyTorch's poisson_nll_loss). outputs, targets: one shape; targets are counts. */
export const poissonNll = lossOfPairs(poissonRecord, (outputs, targets, { logInput, full: whole, epsilon }) => {
  const terms = logInput
    ? functions.exp(outputs).sub(targets.mul(outputs))
    : outputs.sub(targets.mul(functions.log(outputs.add(epsilon))));
  if (!whole) return terms;
  const many = functions.greater(targets, 1);
  const count = functions.where(many, targets, 1);
  const log = functions.log(count);
  const stirling = count.mul(log).sub(count).add(log.add(log2Pi).mul(0.5));
  return terms.add(functions.where(many, stirling, 0));
});
