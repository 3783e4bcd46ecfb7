// Stochastic gradient descent.

import { ConfigError } from "../core/errors.ts";
import { checkKeys } from "../core/keys.ts";
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
  zeroSlots,
} from "./optimizer.ts";

export interface SGDOptions extends OptimizerOptions {
  /** In [0, 1). */
  readonly momentum?: number;
  /** Nesterov's form; needs momentum, and no dampening. */
  readonly nesterov?: boolean;
  /** Takes this part away from the gradient that goes into the momentum, after the first step; in [0, 1). */
  readonly dampening?: number;
}

/**
 * g ← g + decay·p; with momentum μ: b ← μ·b + (1 − dampening)·g, g ← b, or with Nesterov g ← g + μ·b; p ← p − rate·g (PyTorch's formula; b starts at 0, and
 * the first step isn't dampened, so it is the same). Slot: momentum.
 */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #nesterov: boolean;
  readonly #dampening: number;

  constructor(parameters: ParametersOrGroups, options: SGDOptions) {
    checkOptimizer("sgd", arguments);
    checkKeys("sgd", options, [...optimizerKeys, "momentum", "nesterov", "dampening"]);
    checkOptimizerOptions("sgd", options);
    const { momentum = 0, nesterov = false, dampening = 0 } = options;
    super("sgd", parameters, { slots: zeroSlots(...(momentum > 0 ? ["momentum"] : [])) }, options);
    checkRange("sgd", "momentum", momentum, 0, 1);
    checkRange("sgd", "dampening", dampening, 0, 1);
    if (nesterov && (momentum === 0 || dampening > 0))
      throw new ConfigError({
        where: "sgd.nesterov",
        problem: "Nesterov's form needs momentum, and no dampening",
        got: `momentum ${momentum}, dampening ${dampening}`,
        expected: "momentum > 0, dampening 0",
      });
    this.#momentum = momentum;
    this.#nesterov = nesterov;
    this.#dampening = dampening;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return {
      learningRate: () => group.learningRate,
      ...(this.#dampening > 0 && { fresh: () => (this.steps === 1 ? 1 : 1 - this.#dampening) }),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    if (this.#momentum === 0) return { parameter: parameter.sub(gradient.mul(scalars.learningRate)), slots: {} };
    const fresh = this.#dampening > 0 ? gradient.mul(scalars.fresh) : gradient;
    const momentum = slots.momentum.mul(this.#momentum).add(fresh);
    const direction = this.#nesterov ? gradient.add(momentum.mul(this.#momentum)) : momentum;
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { momentum } };
  }
}

/** Stochastic gradient descent with optional momentum (Nesterov's too) and L2 decay. */
export function sgd(parameters: ParametersOrGroups, options: SGDOptions): SGD {
  checkOptimizer("sgd", arguments);
  return new SGD(parameters, options);
}
