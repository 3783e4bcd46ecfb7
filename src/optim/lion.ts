// Lion: the sign of an interpolated momentum.
import { checkKeys } from "../core/keys.ts";
import { sign } from "../tensor/functions.ts";
import { checkOptimizer, checkOptimizerOptions } from "./arguments.ts";
import {
  checkBetas,
  Optimizer,
  type OptimizerOptions,
  optimizerKeys,
  type ParametersOrGroups,
  type Update,
  type Updated,
  zeroSlots,
} from "./optimizer.ts";

export interface LionOptions extends OptimizerOptions {
  /** Of the direction, and of the momentum that is kept, each in [0, 1). */
  readonly betas?: readonly [number, number];
}

/** p ← p·(1 − rate·decay) − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g (Chen et al. 2023, algorithm 2). Slot: m. */
export class Lion extends Optimizer {
  readonly #betas: readonly [number, number];

  constructor(parameters: ParametersOrGroups, options: LionOptions) {
    checkOptimizer("lion", arguments);
    checkKeys("lion", options, [...optimizerKeys, "betas"]);
    checkOptimizerOptions("lion", options);
    const { betas = [0.9, 0.99] } = options;
    super("lion", parameters, { slots: zeroSlots("m"), decay: "decoupled" }, options);
    checkBetas("lion", betas);
    this.#betas = [...betas];
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const [beta1, beta2] = this.#betas;
    const direction = sign(slots.m.mul(beta1).add(gradient.mul(1 - beta1)));
    const m = slots.m.mul(beta2).add(gradient.mul(1 - beta2));
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { m } };
  }
}

/** Lion with decoupled decay (default 0). */
export function lion(parameters: ParametersOrGroups, options: LionOptions): Lion {
  checkOptimizer("lion", arguments);
  return new Lion(parameters, options);
}
