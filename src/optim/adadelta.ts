// Adadelta.
import { checkKeys } from "../core/keys.ts";
import { sqrt } from "../tensor/functions.ts";
import { checkOptimizer, checkOptimizerOptions } from "./arguments.ts";
import {
  checkRange,
  Optimizer,
  type OptimizerOptions,
  optimizerKeys,
  type ParametersOrGroups,
  type Update,
  type Updated,
  zeroSlots,
} from "./optimizer.ts";

export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay of the running averages, in [0, 1). */
  readonly rho?: number;
  /** Added under both roots. */
  readonly epsilon?: number;
}

/**
 * v ← ρ·v + (1 − ρ)·g², δ = √(u + ε) ÷ √(v + ε)·g, u ← ρ·u + (1 − ρ)·δ², p ← p − rate·δ (Zeiler 2012; PyTorch's formula, a learning rate
 * of 1 is the paper's). Decay: L2. Slots: v, u.
 */
export class Adadelta extends Optimizer {
  readonly #rho: number;
  readonly #epsilon: number;

  constructor(parameters: ParametersOrGroups, options: AdadeltaOptions) {
    checkOptimizer("adadelta", arguments);
    checkKeys("adadelta", options, [...optimizerKeys, "rho", "epsilon"]);
    checkOptimizerOptions("adadelta", options);
    const { rho = 0.9, epsilon = 1e-6 } = options;
    super("adadelta", parameters, { slots: zeroSlots("v", "u") }, options);
    checkRange("adadelta", "rho", rho, 0, 1);
    checkRange("adadelta", "epsilon", epsilon);
    this.#rho = rho;
    this.#epsilon = epsilon;
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const rho = this.#rho;
    const v = slots.v.mul(rho).add(gradient.mul(gradient).mul(1 - rho));
    const step = sqrt(slots.u.add(this.#epsilon))
      .div(sqrt(v.add(this.#epsilon)))
      .mul(gradient);
    const u = slots.u.mul(rho).add(step.mul(step).mul(1 - rho));
    return { parameter: parameter.sub(step.mul(scalars.learningRate)), slots: { v, u } };
  }
}

/** Adadelta with L2 decay (default 0). */
export function adadelta(parameters: ParametersOrGroups, options: AdadeltaOptions): Adadelta {
  checkOptimizer("adadelta", arguments);
  return new Adadelta(parameters, options);
}
