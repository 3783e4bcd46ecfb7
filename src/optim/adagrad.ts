// Adagrad.
import { checkKeys } from "../core/keys.ts";
import { full, sqrt } from "../tensor/functions.ts";
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
} from "./optimizer.ts";

export interface AdagradOptions extends OptimizerOptions {
  /** Lowers the rate at step t to rate ÷ (1 + (t − 1)·this). */
  readonly learningRateDecay?: number;
  /** What the sum of squares starts at. */
  readonly initialAccumulatorValue?: number;
  /** Added to the denominator. */
  readonly epsilon?: number;
}

/** s ← s + g², p ← p − (rate ÷ (1 + (t − 1)·decay))·g ÷ (√s + ε) (Duchi et al. 2011; PyTorch's formula). Decay of weights: L2. Slot: sum. */
export class Adagrad extends Optimizer {
  readonly #decay: number;
  readonly #epsilon: number;

  constructor(parameters: ParametersOrGroups, options: AdagradOptions) {
    checkOptimizer("adagrad", arguments);
    checkKeys("adagrad", options, [...optimizerKeys, "learningRateDecay", "initialAccumulatorValue", "epsilon"]);
    checkOptimizerOptions("adagrad", options);
    const { learningRateDecay = 0, initialAccumulatorValue = 0, epsilon = 1e-10 } = options;
    checkRange("adagrad", "learningRateDecay", learningRateDecay);
    checkRange("adagrad", "initialAccumulatorValue", initialAccumulatorValue);
    checkRange("adagrad", "epsilon", epsilon);
    super(
      "adagrad",
      parameters,
      { slots: (parameter) => ({ sum: full(parameter.shape, initialAccumulatorValue) }) },
      options,
    );
    this.#decay = learningRateDecay;
    this.#epsilon = epsilon;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return { learningRate: () => group.learningRate / (1 + (this.steps - 1) * this.#decay) };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const sum = slots.sum.add(gradient.mul(gradient));
    const direction = gradient.div(sqrt(sum).add(this.#epsilon));
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { sum } };
  }
}

/** Adagrad with L2 decay (default 0). */
export function adagrad(parameters: ParametersOrGroups, options: AdagradOptions): Adagrad {
  checkOptimizer("adagrad", arguments);
  return new Adagrad(parameters, options);
}
