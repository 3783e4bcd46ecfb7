// Stochastic gradient descent.

import { ConfigError } from "../core/errors.ts";
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

export interface SGDOptions extends OptimizerOptions {
  /** In [0, 1). */
  readonly momentum?: number;
  /** Nesterov's form; needs momentum. */
  readonly nesterov?: boolean;
}

/**
 * g ← g + decay·p; with momentum μ: b ← μ·b + g, g ← b, or with Nesterov g ← g + μ·b; p ← p − rate·g (PyTorch's formula; b starts at 0, so the
 * first step is the same). Slot: momentum.
 */
export class SGD extends Optimizer {
  readonly #momentum: number;
  readonly #nesterov: boolean;

  constructor(parameters: readonly Parameter[] | readonly GroupOptions[], options: SGDOptions) {
    const { momentum = 0, nesterov = false } = options;
    super("sgd", parameters, momentum > 0 ? ["momentum"] : [], options);
    checkRange("sgd", "momentum", momentum, 0, 1);
    if (nesterov && momentum === 0)
      throw new ConfigError({
        where: "sgd.nesterov",
        problem: "Nesterov's form needs momentum",
        got: "momentum 0",
        expected: "momentum > 0",
      });
    this.#momentum = momentum;
    this.#nesterov = nesterov;
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return {
      learningRate: () => group.learningRate,
      ...(group.weightDecay > 0 && { weightDecay: () => group.weightDecay }),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars, decays }: Update): {
    parameter: Tensor;
    slots: Record<string, Tensor>;
  } {
    const g = decays ? gradient.add(parameter.mul(scalars.weightDecay)) : gradient;
    if (this.#momentum === 0) return { parameter: parameter.sub(g.mul(scalars.learningRate)), slots: {} };
    const momentum = slots.momentum.mul(this.#momentum).add(g);
    const direction = this.#nesterov ? g.add(momentum.mul(this.#momentum)) : momentum;
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { momentum } };
  }
}

/** Stochastic gradient descent with optional momentum (Nesterov's too) and L2 decay. */
export function sgd(parameters: readonly Parameter[] | readonly GroupOptions[], options: SGDOptions): SGD {
  return new SGD(parameters, options);
}
