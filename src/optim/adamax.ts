// Adamax.
import { checkKeys } from "../core/keys.ts";
import { integerPower } from "../core/real.ts";
import { maximum } from "../tensor/functions.ts";
import type { AdamOptions } from "./adam.ts";
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

export type AdamaxOptions = Omit<AdamOptions, "amsgrad">;

/**
 * m ← β₁·m + (1 − β₁)·g, u ← max(β₂·u, |g| + ε), p ← p − (rate ÷ (1 − β₁ᵗ))·m ÷ u (Kingma & Ba 2015, section 7.1; PyTorch's formula). Decay:
 * L2. Slots: m, u.
 */
export class Adamax extends Optimizer {
  readonly #betas: readonly [number, number];
  readonly #epsilon: number;

  constructor(parameters: ParametersOrGroups, options: AdamaxOptions) {
    checkOptimizer("adamax", arguments);
    checkKeys("adamax", options, [...optimizerKeys, "betas", "epsilon"]);
    checkOptimizerOptions("adamax", options);
    const { betas = [0.9, 0.999], epsilon = 1e-8 } = options;
    super("adamax", parameters, { slots: zeroSlots("m", "u") }, options);
    checkBetas("adamax", betas);
    checkRange("adamax", "epsilon", epsilon);
    this.#betas = [...betas];
    this.#epsilon = epsilon;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return { stepSize: () => group.learningRate / (1 - integerPower(this.#betas[0], this.steps)) };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const [beta1, beta2] = this.#betas;
    const m = slots.m.mul(beta1).add(gradient.mul(1 - beta1));
    const u = maximum(slots.u.mul(beta2), gradient.abs().add(this.#epsilon));
    return { parameter: parameter.sub(m.div(u).mul(scalars.stepSize)), slots: { m, u } };
  }
}

/** Adamax with L2 decay (default 0). */
export function adamax(parameters: ParametersOrGroups, options: AdamaxOptions): Adamax {
  checkOptimizer("adamax", arguments);
  return new Adamax(parameters, options);
}
