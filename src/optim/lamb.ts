// LAMB: Adam's direction, scaled layer by layer.
import { type Given, nonNegative, options } from "../core/options.ts";
import { integerPower } from "../core/real.ts";
import { maker } from "../core/things.ts";
import { div, greater, logicalAnd, sqrt, where } from "../tensor/families/basic.ts";
import { momentFields, moments } from "./adam.ts";
import { globalNorm } from "./clip.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("Lamb", {
  ...optimizerFields,
  ...momentFields,
  /** Added to the denominator. */
  epsilon: nonNegative.default(1e-6),
});

export type LambOptions = Given<typeof record>;

/**
 * m and v as Adam's, both corrected for their bias; r = m̂ ÷ (√v̂ + ε) + decay·p, p ← p − rate·(‖p‖ ÷ ‖r‖)·r, norms by parameter, the ratio 1 where either is 0 (You et al.
 * 2020, algorithm 2 with φ(z) = z). m̂ = m ÷ (1 − β₁ᵗ), v̂ = v ÷ (1 − β₂ᵗ). Slots: m, v.
 */
export class Lamb extends optimizing(record, { slots: zeroSlots("m", "v"), decay: "own" }) {
  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const [beta1, beta2] = this.options.betas;
    return {
      learningRate: () => group.learningRate,
      firstCorrection: () => 1 - integerPower(beta1, this.steps),
      secondCorrection: () => 1 - integerPower(beta2, this.steps),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars, decays }: Update): Updated {
    const { m, v } = moments(gradient, slots, this.options.betas);
    const denominator = sqrt(v.div(scalars.secondCorrection)).add(this.options.epsilon);
    const direction = m.div(scalars.firstCorrection).div(denominator);
    const update = decays ? direction.add(parameter.mul(scalars.weightDecay)) : direction;
    const [weight, length] = [globalNorm([parameter]), globalNorm([update])];
    const ratio = where(logicalAnd(greater(weight, 0), greater(length, 0)), div(weight, length), 1);
    return { parameter: parameter.sub(update.mul(ratio.mul(scalars.learningRate))), slots: { m, v } };
  }
}

/** LAMB, for large batches; its decay is part of the scaled direction (default 0). */
export const lamb = maker(record, Lamb);
