// Rprop: steps by the gradient's sign, each weight with a step size of its own.

import { ConfigError } from "../core/errors.ts";
import { type Given, nonNegative, options, tuple } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { zeros } from "../tensor/creation.ts";
import { full, greater, less, maximum, minimum, sign, where } from "../tensor/families/basic.ts";
import { optimizerFields, type Update, type Updated } from "./optimizer.ts";
import { type OptimizerArguments, optimizing } from "./optimizing.ts";

const { learningRate, maximize } = optimizerFields;
const record = options("Rprop", {
  /** The first step size of every weight. */
  learningRate,
  maximize,
  /** What a step size is multiplied by where the sign changed, in (0, 1), and where it stayed, ≥ 1. */
  etas: tuple("two numbers ≥ 0", nonNegative, nonNegative).default([0.5, 1.2]),
  /** Bounds of a step size. */
  stepSizes: tuple("two numbers ≥ 0", nonNegative, nonNegative).default([1e-6, 50]),
});

export type RpropOptions = Given<typeof record>;

/**
 * s ← s·η, η = η⁺ where g·g′ > 0, η⁻ where < 0, else 1, within the bounds; where the sign changed g counts as 0; p ← p − sign(g)·s, g′ ← g
 * (Riedmiller & Braun 1993; PyTorch's formula). The learning rate is what s starts from: learning-rate schedules are ignored. No weight decay. For full batches. Slots:
 * previous, size.
 */
export class Rprop extends optimizing(record, ({ etas, stepSizes, learningRate }) => {
  if (etas[0] > 0 && etas[0] < 1 && etas[1] >= 1 && stepSizes[0] > 0 && stepSizes[1] >= stepSizes[0])
    return {
      slots: ({ shape }) => ({ previous: zeros(shape), size: full(shape, learningRate) }),
      decay: "own",
      adaptsOwnStepSize: true,
    };
  throw new ConfigError({
    where: "rprop",
    problem: "etas or stepSizes out of range",
    got: `[${etas.join(", ")}], [${stepSizes.join(", ")}]`,
    expected: "0 < etas[0] < 1 ≤ etas[1], and 0 < stepSizes[0] ≤ stepSizes[1]",
  });
}) {
  constructor(...given: OptimizerArguments<RpropOptions>) {
    super(...given);
    const { learningRate } = this.options;
    if (this.groups.every(({ decays, learningRate: rate }) => !decays && rate === learningRate)) return;
    throw new ConfigError({
      where: "rprop",
      problem: "a group has a weight decay or a learning rate of its own",
      expected: "one learning rate, where step sizes start, and no decay",
    });
  }

  protected override scalars(): Record<string, () => number> {
    return {};
  }

  protected override rule({ parameter, gradient, slots }: Update): Updated {
    const { etas, stepSizes } = this.options;
    const [shrink, grow] = etas;
    const agreement = gradient.mul(slots.previous);
    const turned = less(agreement, 0);
    const factor = where(greater(agreement, 0), full([], grow), where(turned, full([], shrink), 1));
    const size = minimum(maximum(slots.size.mul(factor), stepSizes[0]), stepSizes[1]);
    const previous = where(turned, 0, gradient);
    return { parameter: parameter.sub(sign(previous).mul(size)), slots: { previous, size } };
  }
}

/** Rprop, for full batches. */
export const rprop = maker(record, Rprop);
