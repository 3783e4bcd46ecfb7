// Adagrad.
import { type Given, nonNegative, options } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { full, sqrt } from "../tensor/families/basic.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

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
export class Adagrad extends optimizing(record, ({ initialAccumulatorValue }) => ({
  slots: ({ shape }) => ({ sum: full(shape, initialAccumulatorValue) }),
})) {
  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return { learningRate: () => group.learningRate / (1 + (this.steps - 1) * this.options.learningRateDecay) };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const sum = slots.sum.add(gradient.mul(gradient));
    const direction = gradient.div(sqrt(sum).add(this.options.epsilon));
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { sum } };
  }
}

/** Adagrad with L2 decay (default 0). */
export const adagrad = maker(record, Adagrad);
