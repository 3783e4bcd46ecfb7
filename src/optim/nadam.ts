// NAdam: Adam with Nesterov's momentum.
import { checkKeys } from "../core/keys.ts";
import { integerPower, power } from "../core/real.ts";
import { sqrt } from "../tensor/functions.ts";
import { type AdamOptions, moments } from "./adam.ts";
import { checkOptimizer, checkOptimizerOptions } from "./arguments.ts";
import {
  checkBetas,
  checkRange,
  Optimizer,
  optimizerKeys,
  type ParameterGroup,
  type ParametersOrGroups,
  type Update,
  type Updated,
  zeroSlots,
} from "./optimizer.ts";

export interface NAdamOptions extends Omit<AdamOptions, "amsgrad"> {
  /** ψ in the momentum's schedule μₜ. */
  readonly momentumDecay?: number;
  /** Decays weights as AdamW does, and not as L2. */
  readonly decoupledWeightDecay?: boolean;
}

/**
 * μₜ = β₁·(1 − ½·0.96^(t·ψ)), Mₜ = μ₁·…·μₜ; m and v as Adam's; p ← p − (a·g + b·m) ÷ (√(v ÷ (1 − β₂ᵗ)) + ε), a = rate·(1 − μₜ) ÷ (1 − Mₜ), b =
 * rate·μₜ₊₁ ÷ (1 − Mₜ₊₁) (Dozat 2016). PyTorch subtracts both parts one after the other, and keeps M in float32; M here is float64 on the
 * host. Decay: L2, or decoupled. Slots: m, v.
 */
export class NAdam extends Optimizer {
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;
  readonly #momentumDecay: number;
  /** M at a step: a product that goes on from there, the same from whichever step it is asked. */
  #product = { step: 0, value: 1 };

  constructor(parameters: ParametersOrGroups, options: NAdamOptions) {
    checkOptimizer("nadam", arguments);
    checkKeys("nadam", options, [...optimizerKeys, "betas", "epsilon", "momentumDecay", "decoupledWeightDecay"]);
    checkOptimizerOptions("nadam", options);
    const { betas = [0.9, 0.999], epsilon = 1e-8, momentumDecay = 0.004, decoupledWeightDecay = false } = options;
    super(
      "nadam",
      parameters,
      { slots: zeroSlots("m", "v"), decay: decoupledWeightDecay ? "decoupled" : "l2" },
      options,
    );
    checkBetas("nadam", betas);
    checkRange("nadam", "epsilon", epsilon);
    checkRange("nadam", "momentumDecay", momentumDecay);
    this.#betas = [...betas];
    this.#epsilon = epsilon;
    this.#momentumDecay = momentumDecay;
  }

  #momentum(step: number): number {
    return this.#betas[0] * (1 - 0.5 * power(0.96, step * this.#momentumDecay));
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
      correction: () => 1 - integerPower(this.#betas[1], this.steps),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const { m, v } = moments(gradient, slots, this.#betas);
    const denominator = sqrt(v.div(scalars.correction)).add(this.#epsilon);
    const direction = gradient.mul(scalars.gradientRate).add(m.mul(scalars.momentumRate));
    return { parameter: parameter.sub(direction.div(denominator)), slots: { m, v } };
  }
}

/** NAdam with L2 decay (default 0), or decoupled. */
export function nadam(parameters: ParametersOrGroups, options: NAdamOptions): NAdam {
  checkOptimizer("nadam", arguments);
  return new NAdam(parameters, options);
}
