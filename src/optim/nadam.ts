// NAdam: Adam with Nesterov's momentum.
import { flag, type Given, nonNegative, options } from "../core/options.ts";
import { integerPower, power } from "../core/real.ts";
import { maker } from "../core/things.ts";
import { sqrt } from "../tensor/families/basic.ts";
import { momentFields, moments } from "./adam.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("NAdam", {
  ...optimizerFields,
  ...momentFields,
  /** ψ in the momentum's schedule μₜ. */
  momentumDecay: nonNegative.default(0.004),
  /** Decays weights as AdamW does, and not as L2. */
  decoupledWeightDecay: flag.default(false),
});

export type NAdamOptions = Given<typeof record>;

/**
 * μₜ = β₁·(1 − ½·0.96^(t·ψ)), Mₜ = μ₁·…·μₜ; m and v as Adam's; p ← p − (a·g + b·m) ÷ (√(v ÷ (1 − β₂ᵗ)) + ε), a = rate·(1 − μₜ) ÷ (1 − Mₜ), b =
 * rate·μₜ₊₁ ÷ (1 − Mₜ₊₁) (Dozat 2016). PyTorch subtracts both parts one after the other, and keeps M in float32; M here is float64 on the
 * host. Decay: L2, or decoupled. Slots: m, v.
 */
export class NAdam extends optimizing(record, ({ decoupledWeightDecay }) => ({
  slots: zeroSlots("m", "v"),
  decay: decoupledWeightDecay ? "decoupled" : "l2",
})) {
  /** M at a step: a product that goes on from there, the same from whichever step it is asked. */
  #product = { step: 0, value: 1 };

  #momentum(step: number): number {
    const { betas, momentumDecay } = this.options;
    return betas[0] * (1 - 0.5 * power(0.96, step * momentumDecay));
  }

  #momentumProduct(step: number): number {
    let { step: at, value } = this.#product.step > step ? { step: 0, value: 1 } : this.#product;
    while (at < step) value *= this.#momentum(++at);
    this.#product = { step, value };
    return value;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return {
      gradientRate: () =>
        (group.learningRate * (1 - this.#momentum(this.steps))) / (1 - this.#momentumProduct(this.steps)),
      momentumRate: () => {
        const next = this.#momentum(this.steps + 1);
        return (group.learningRate * next) / (1 - this.#momentumProduct(this.steps) * next);
      },
      correction: () => 1 - integerPower(this.options.betas[1], this.steps),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const { m, v } = moments(gradient, slots, this.options.betas);
    const denominator = sqrt(v.div(scalars.correction)).add(this.options.epsilon);
    const direction = gradient.mul(scalars.gradientRate).add(m.mul(scalars.momentumRate));
    return { parameter: parameter.sub(direction.div(denominator)), slots: { m, v } };
  }
}

/** NAdam with L2 decay (default 0), or decoupled. */
export const nadam = maker(record, NAdam);
