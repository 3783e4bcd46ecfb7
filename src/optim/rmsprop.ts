// RMSprop.
import { checkKeys } from "../core/keys.ts";
import { maximum, sqrt } from "../tensor/functions.ts";
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

export interface RMSpropOptions extends OptimizerOptions {
  /** Decay of the running averages, in [0, 1). */
  readonly alpha?: number;
  /** Added to the denominator. */
  readonly epsilon?: number;
  /** In [0, 1). */
  readonly momentum?: number;
  /** Divides by the deviation: the running mean's square is taken away first. */
  readonly centered?: boolean;
}

/**
 * v ← α·v + (1 − α)·g², d = √v + ε (Hinton 2012), centered: a ← α·a + (1 − α)·g, d = √(v − a²) + ε (Graves 2013); p ← p − rate·g ÷ d, or with momentum
 * μ: b ← μ·b + g ÷ d, p ← p − rate·b. PyTorch's formula, but v − a² below 0, which rounding makes, counts as 0. Decay: L2. Slots: v, mean, momentum.
 */
export class RMSprop extends Optimizer {
  readonly #alpha: number;
  readonly #epsilon: number;
  readonly #momentum: number;

  constructor(parameters: ParametersOrGroups, options: RMSpropOptions) {
    checkOptimizer("rmsprop", arguments);
    checkKeys("rmsprop", options, [...optimizerKeys, "alpha", "epsilon", "momentum", "centered"]);
    checkOptimizerOptions("rmsprop", options);
    const { alpha = 0.99, epsilon = 1e-8, momentum = 0, centered = false } = options;
    const slots = zeroSlots("v", ...(centered ? ["mean"] : []), ...(momentum > 0 ? ["momentum"] : []));
    super("rmsprop", parameters, { slots }, options);
    checkRange("rmsprop", "alpha", alpha, 0, 1);
    checkRange("rmsprop", "epsilon", epsilon);
    checkRange("rmsprop", "momentum", momentum, 0, 1);
    this.#alpha = alpha;
    this.#epsilon = epsilon;
    this.#momentum = momentum;
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const alpha = this.#alpha;
    const v = slots.v.mul(alpha).add(gradient.mul(gradient).mul(1 - alpha));
    const mean = slots.mean?.mul(alpha).add(gradient.mul(1 - alpha));
    const deviation = sqrt(mean ? maximum(v.sub(mean.mul(mean)), 0) : v).add(this.#epsilon);
    const scaled = gradient.div(deviation);
    const momentum = slots.momentum?.mul(this.#momentum).add(scaled);
    return {
      parameter: parameter.sub((momentum ?? scaled).mul(scalars.learningRate)),
      slots: { v, ...(mean && { mean }), ...(momentum && { momentum }) },
    };
  }
}

/** RMSprop with L2 decay (default 0). */
export function rmsprop(parameters: ParametersOrGroups, options: RMSpropOptions): RMSprop {
  checkOptimizer("rmsprop", arguments);
  return new RMSprop(parameters, options);
}
