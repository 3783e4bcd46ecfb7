// Averaged stochastic gradient descent.
import { type Given, nonNegative, options } from "../core/options.ts";
import { power } from "../core/real.ts";
import { maker } from "../core/things.ts";
import { equal, where } from "../tensor/families/basic.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("ASGD", {
  ...optimizerFields,
  /** Decay term λ. */
  lambda: nonNegative.default(1e-4),
  /** Power α of the rate's decay. */
  alpha: nonNegative.default(0.75),
  /** The step at which averaging starts. */
  t0: nonNegative.default(1e6),
});

export type ASGDOptions = Given<typeof record>;

/**
 * ηₜ = rate ÷ (1 + λ·rate·(t − 1))^α, p ← p·(1 − λ·ηₜ) − ηₜ·g; a ← p up to step t₀ + 1, from there a ← a + (p − a) ÷ (t − 1 − t₀) (Polyak & Juditsky 1992, Bottou
 * 2010; PyTorch's formula, with η and the weight of the average in float64 on the host). The average is the slot `average`: weights to evaluate
 * with. Decay: L2.
 */
export class ASGD extends optimizing(record, { slots: zeroSlots("average") }) {
  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const { lambda, alpha, t0 } = this.options;
    const rate = () => group.learningRate / power(1 + lambda * group.learningRate * (this.steps - 1), alpha);
    return {
      learningRate: rate,
      shrinking: () => 1 - lambda * rate(),
      averaging: () => 1 / Math.max(1, this.steps - 1 - t0),
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
export const asgd = maker(record, ASGD);
