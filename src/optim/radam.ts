// RAdam: Adam whose adaptive rate is rectified while its variance is large.
import { flag, type Given, options } from "../core/options.ts";
import { integerPower } from "../core/real.ts";
import { maker } from "../core/things.ts";
import { div, greater, sqrt, where } from "../tensor/families/basic.ts";
import { momentFields, moments } from "./adam.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("RAdam", {
  ...optimizerFields,
  ...momentFields,
  /** Decays weights as AdamW does, and not as L2. */
  decoupledWeightDecay: flag.default(false),
});

export type RAdamOptions = Given<typeof record>;

/**
 * ρ∞ = 2 ÷ (1 − β₂) − 1, ρₜ = ρ∞ − 2t·β₂ᵗ ÷ (1 − β₂ᵗ); m and v as Adam's, u = (m ÷ (1 − β₁ᵗ))·rate. Where ρₜ > 5: p ← p − u·(√(1 − β₂ᵗ) ÷ (√v + ε))·rₜ,
 * rₜ = √((ρₜ − 4)(ρₜ − 2)ρ∞ ÷ ((ρ∞ − 4)(ρ∞ − 2)ρₜ)); before that p ← p − u (Liu et al. 2020, with PyTorch's 5 for the paper's 4). PyTorch's formula.
 * Decay: L2, or decoupled. Slots: m, v.
 */
export class RAdam extends optimizing(record, ({ decoupledWeightDecay }) => ({
  slots: zeroSlots("m", "v"),
  decay: decoupledWeightDecay ? "decoupled" : "l2",
})) {
  /** rₜ; 0 where its variance is too large for one. */
  #rectified(): number {
    const beta2 = this.options.betas[1];
    const decayed = integerPower(beta2, this.steps);
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * this.steps * decayed) / (1 - decayed);
    if (!(length > 5)) return 0;
    const ratio = ((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length);
    return Math.sqrt(ratio);
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const [beta1, beta2] = this.options.betas;
    return {
      learningRate: () => group.learningRate,
      firstCorrection: () => 1 - integerPower(beta1, this.steps),
      secondCorrection: () => Math.sqrt(1 - integerPower(beta2, this.steps)),
      rectified: () => this.#rectified(),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const { m, v } = moments(gradient, slots, this.options.betas);
    const plain = m.div(scalars.firstCorrection).mul(scalars.learningRate);
    const adaptive = div(scalars.secondCorrection, sqrt(v).add(this.options.epsilon));
    const step = where(greater(scalars.rectified, 0), plain.mul(adaptive).mul(scalars.rectified), plain);
    return { parameter: parameter.sub(step), slots: { m, v } };
  }
}

/** RAdam with L2 decay (default 0), or decoupled. */
export const radam = maker(record, RAdam);
