// Rprop: steps by the gradient's sign, each weight with a step size of its own.

import { ConfigError } from "../core/errors.ts";
import { checkKeys } from "../core/keys.ts";
import { full, greater, less, maximum, minimum, sign, where, zeros } from "../tensor/functions.ts";
import { checkOptimizer, checkOptimizerOptions } from "./arguments.ts";
import {
  checkRange,
  Optimizer,
  type OptimizerOptions,
  type ParametersOrGroups,
  type Update,
  type Updated,
} from "./optimizer.ts";

export interface RpropOptions extends Omit<OptimizerOptions, "weightDecay" | "decayAll"> {
  /** What a step size is multiplied by where the sign changed, in (0, 1), and where it stayed, ≥ 1. */
  readonly etas?: readonly [number, number];
  /** Bounds of a step size. */
  readonly stepSizes?: readonly [number, number];
}

/**
 * s ← s·η, η = η⁺ where g·g′ > 0, η⁻ where < 0, else 1, within the bounds; where the sign changed g counts as 0; p ← p − sign(g)·s, g′ ← g
 * (Riedmiller & Braun 1993; PyTorch's formula). The learning rate is what s starts from: a schedule has no say. No weight decay. For full batches. Slots:
 * previous, size.
 */
export class Rprop extends Optimizer {
  readonly #etas: readonly [number, number];
  readonly #bounds: readonly [number, number];

  constructor(parameters: ParametersOrGroups, options: RpropOptions) {
    checkOptimizer("rprop", arguments);
    checkKeys("rprop", options, ["learningRate", "maximize", "etas", "stepSizes"]);
    checkOptimizerOptions("rprop", options);
    const { etas = [0.5, 1.2], stepSizes = [1e-6, 50], learningRate } = options;
    checkRange("rprop", "learningRate", learningRate);
    super(
      "rprop",
      parameters,
      {
        slots: (parameter) => ({ previous: zeros(parameter.shape), size: full(parameter.shape, learningRate) }),
        decay: "own",
        fixedRate: true,
      },
      options,
    );
    if (this.groups.some(({ decays, learningRate: rate }) => decays || rate !== learningRate)) {
      throw new ConfigError({
        where: "rprop",
        problem: "a group has a weight decay or a learning rate of its own",
        expected: "one learning rate, where step sizes start, and no decay",
      });
    }
    checkRange("rprop", "etas[0]", etas[0], Number.MIN_VALUE, 1);
    checkRange("rprop", "etas[1]", etas[1], 1);
    checkRange("rprop", "stepSizes[0]", stepSizes[0], Number.MIN_VALUE);
    checkRange("rprop", "stepSizes[1]", stepSizes[1], stepSizes[0]);
    this.#etas = [...etas];
    this.#bounds = [...stepSizes];
  }

  protected override scalars(): Record<string, () => number> {
    return {};
  }

  protected override rule({ parameter, gradient, slots }: Update): Updated {
    const [shrink, grow] = this.#etas;
    const agreement = gradient.mul(slots.previous);
    const turned = less(agreement, 0);
    const factor = where(greater(agreement, 0), full([], grow), where(turned, full([], shrink), 1));
    const size = minimum(maximum(slots.size.mul(factor), this.#bounds[0]), this.#bounds[1]);
    const previous = where(turned, 0, gradient);
    return { parameter: parameter.sub(sign(previous).mul(size)), slots: { previous, size } };
  }
}

/** Rprop, for full batches. */
export function rprop(parameters: ParametersOrGroups, options: RpropOptions): Rprop {
  checkOptimizer("rprop", arguments);
  return new Rprop(parameters, options);
}
