// Adagrad.
import { type Given, nonNegative, options, type Read } from "../core/options.ts";
import { maker } from "../core/things.ts";
import type { Parameter } from "../program/variable.ts";
import { full, sqrt } from "../tensor/functions.ts";
import { readOptions } from "./arguments.ts";
import {
  Optimizer,
  optimizerFields,
  type ParameterGroup,
  type ParametersOrGroups,
  type Update,
  type Updated,
} from "./optimizer.ts";

const record = options("Adagrad", {
  ...optimizerFields,
  /** Lowers the rate at step t to rate ÷ (1 + (t − 1)·this). */
  learningRateDecay: nonNegative.default(0),
  /** What the sum of squares starts at. */
  initialAccumulatorValue: nonNegative.default(0),
  /** Added to the denominator. */
  epsilon: nonNegative.default(1e-10),
});

export type AdagradOptions = Given<typeof record>;

/** s ← s + g², p ← p − (rate ÷ (1 + (t − 1)·decay))·g ÷ (√s + ε) (Duchi et al. 2011; PyTorch's formula). Decay of weights: L2. Slot: sum. */
export class Adagrad extends Optimizer {
  readonly #options: Read<typeof record>;

  constructor(parameters: ParametersOrGroups, options: AdagradOptions) {
    const read = readOptions("adagrad", record, options, arguments);
    const slots = ({ shape }: Parameter) => ({ sum: full(shape, read.initialAccumulatorValue) });
    super("adagrad", parameters, { slots }, read);
    this.#options = read;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return { learningRate: () => group.learningRate / (1 + (this.steps - 1) * this.#options.learningRateDecay) };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const sum = slots.sum.add(gradient.mul(gradient));
    const direction = gradient.div(sqrt(sum).add(this.#options.epsilon));
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { sum } };
  }
}

/** Adagrad with L2 decay (default 0). */
export const adagrad = maker(record, Adagrad);
