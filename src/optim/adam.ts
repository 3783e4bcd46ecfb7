// Adam and AdamW.
import { integerPower } from "../core/real.ts";
import { sqrt } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Parameter } from "../tensor/variable.ts";
import {
  checkRange,
  type GroupOptions,
  Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type Update,
} from "./optimizer.ts";

export interface AdamOptions extends OptimizerOptions {
  /** Decay of the two moments, each in [0, 1). */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. */
  readonly epsilon?: number;
}

/**
 * Adam (Kingma & Ba 2015): m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², p ← p − (rate ÷ (1 − β₁ᵗ))·m ÷ (√v·(1 ÷ √(1 − β₂ᵗ)) + ε). Decay: L2, g ← g + decay·p;
 * decoupled (AdamW, Loshchilov & Hutter 2019): p ← p·(1 − rate·decay) first. PyTorch's formula but for √v ÷ √(1 − β₂ᵗ), a product with the
 * reciprocal here. Slots: m, v.
 */
export class Adam extends Optimizer {
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;
  readonly #decoupled: boolean;

  constructor(
    where: "adam" | "adamW",
    parameters: readonly Parameter[] | readonly GroupOptions[],
    options: AdamOptions,
  ) {
    const { betas = [0.9, 0.999], epsilon = 1e-8 } = options;
    super(where, parameters, ["m", "v"], options);
    checkRange(where, "betas[0]", betas[0], 0, 1);
    checkRange(where, "betas[1]", betas[1], 0, 1);
    checkRange(where, "epsilon", epsilon);
    this.#betas = betas;
    this.#epsilon = epsilon;
    this.#decoupled = where === "adamW";
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const [beta1, beta2] = this.#betas;
    return {
      stepSize: () => group.learningRate / (1 - integerPower(beta1, this.steps)),
      correction: () => 1 / Math.sqrt(1 - integerPower(beta2, this.steps)),
      ...(group.weightDecay > 0 && {
        weightDecay: () => (this.#decoupled ? 1 - group.learningRate * group.weightDecay : group.weightDecay),
      }),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars, decays }: Update): {
    parameter: Tensor;
    slots: Record<string, Tensor>;
  } {
    const [beta1, beta2] = this.#betas;
    const p = decays && this.#decoupled ? parameter.mul(scalars.weightDecay) : parameter;
    const g = decays && !this.#decoupled ? gradient.add(parameter.mul(scalars.weightDecay)) : gradient;
    const m = slots.m.mul(beta1).add(g.mul(1 - beta1));
    const v = slots.v.mul(beta2).add(g.mul(g).mul(1 - beta2));
    const denominator = sqrt(v).mul(scalars.correction).add(this.#epsilon);
    return { parameter: p.sub(m.div(denominator).mul(scalars.stepSize)), slots: { m, v } };
  }
}

/** Adam with L2 decay (default 0). */
export function adam(parameters: readonly Parameter[] | readonly GroupOptions[], options: AdamOptions): Adam {
  return new Adam("adam", parameters, options);
}

/** Adam with decoupled weight decay, 0.01 unless given. */
export function adamW(parameters: readonly Parameter[] | readonly GroupOptions[], options: AdamOptions): Adam {
  return new Adam("adamW", parameters, { weightDecay: 0.01, ...options });
}
