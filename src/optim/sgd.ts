// Stochastic gradient descent.

import { ConfigError } from "../core/errors.ts";
import { flag, fraction, type Given, options } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("SGD", {
  ...optimizerFields,
  /** How much of the last step's direction is kept, in [0, 1). */
  momentum: fraction.default(0),
  /** Nesterov's form; needs momentum, and no dampening. */
  nesterov: flag.default(false),
  /** Takes this part away from the gradient that goes into the momentum, after the first step; in [0, 1). */
  dampening: fraction.default(0),
});

export type SGDOptions = Given<typeof record>;

/**
 * g ← g + decay·p; with momentum μ: b ← μ·b + (1 − dampening)·g, g ← b, or with Nesterov g ← g + μ·b; p ← p − rate·g (PyTorch's formula; b starts at 0, and
 * the first step isn't dampened, so it is the same). Slot: momentum.
 */
export class SGD extends optimizing(record, ({ momentum, nesterov, dampening }) => {
  if (!nesterov || (momentum > 0 && dampening === 0))
    return { slots: zeroSlots(...(momentum > 0 ? ["momentum"] : [])) };
  throw new ConfigError({
    where: "sgd.nesterov",
    problem: "Nesterov's form needs momentum, and no dampening",
    got: `momentum ${momentum}, dampening ${dampening}`,
    expected: "momentum > 0, dampening 0",
  });
}) {
  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const { dampening } = this.options;
    return {
      learningRate: () => group.learningRate,
      ...(dampening > 0 && { fresh: () => (this.steps === 1 ? 1 : 1 - dampening) }),
    };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const { momentum: kept, nesterov, dampening } = this.options;
    if (kept === 0) return { parameter: parameter.sub(gradient.mul(scalars.learningRate)), slots: {} };
    const fresh = dampening > 0 ? gradient.mul(scalars.fresh) : gradient;
    const momentum = slots.momentum.mul(kept).add(fresh);
    const direction = nesterov ? gradient.add(momentum.mul(kept)) : momentum;
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { momentum } };
  }
}

/** Stochastic gradient descent with optional momentum (Nesterov's too) and L2 decay. */
export const sgd = maker(record, SGD);
