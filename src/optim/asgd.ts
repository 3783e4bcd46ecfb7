// Averaged stochastic gradient descent.
import { checkKeys } from "../core/keys.ts";
import { power } from "../core/real.ts";
import { equal, where } from "../tensor/functions.ts";
import { checkOptimizer, checkOptimizerOptions } from "./arguments.ts";
import {
  checkRange,
  Optimizer,
  type OptimizerOptions,
  optimizerKeys,
  type ParameterGroup,
  type ParametersOrGroups,
  type Update,
  type Updated,
  zeroSlots,
} from "./optimizer.ts";

export interface ASGDOptions extends OptimizerOptions {
  /** Decay term λ. */
  readonly lambda?: number;
  /** Power α of the rate's decay. */
  readonly alpha?: number;
  /** The step at which averaging starts. */
  readonly t0?: number;
}

/**
 * ηₜ = rate ÷ (1 + λ·rate·(t − 1))^α, p ← p·(1 − λ·ηₜ) − ηₜ·g; a ← p up to step t₀ + 1, from there a ← a + (p − a) ÷ (t − 1 − t₀) (Polyak & Juditsky 1992, Bottou
 * 2010; PyTorch's formula, with η and the weight of the average in float64 on the host). The average is the slot `average`: weights to evaluate
 * with. Decay: L2.
 */
export class ASGD extends Optimizer {
  readonly #lambda: number;
  readonly #alpha: number;
  readonly #start: number;

  constructor(parameters: ParametersOrGroups, options: ASGDOptions) {
    checkOptimizer("asgd", arguments);
    checkKeys("asgd", options, [...optimizerKeys, "lambda", "alpha", "t0"]);
    checkOptimizerOptions("asgd", options);
    const { lambda = 1e-4, alpha = 0.75, t0 = 1e6 } = options;
    super("asgd", parameters, { slots: zeroSlots("average") }, options);
    checkRange("asgd", "lambda", lambda);
    checkRange("asgd", "alpha", alpha);
    checkRange("asgd", "t0", t0);
    this.#lambda = lambda;
    this.#alpha = alpha;
    this.#start = t0;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const rate = () =>
      group.learningRate / power(1 + this.#lambda * group.learningRate * (this.steps - 1), this.#alpha);
    return {
      learningRate: rate,
      shrinking: () => 1 - this.#lambda * rate(),
      averaging: () => 1 / Math.max(1, this.steps - 1 - this.#start),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const next = parameter.mul(scalars.shrinking).sub(gradient.mul(scalars.learningRate));
    const average = where(
      equal(scalars.averaging, 1),
      next,
      slots.average.add(next.sub(slots.average).mul(scalars.averaging)),
    );
    return { parameter: next, slots: { average } };
  }
}

/** Averaged SGD with L2 decay (default 0). */
export function asgd(parameters: ParametersOrGroups, options: ASGDOptions): ASGD {
  checkOptimizer("asgd", arguments);
  return new ASGD(parameters, options);
}
