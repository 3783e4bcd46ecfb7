// RMSprop.
import { flag, fraction, type Given, nonNegative, options } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { maximum, sqrt } from "../tensor/families/basic.ts";
import { optimizerFields, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("RMSprop", {
  ...optimizerFields,
  /** Decay of the running averages, in [0, 1). */
  alpha: fraction.default(0.99),
  /** Added to the denominator. */
  epsilon: nonNegative.default(1e-8),
  /** How much of the last step's direction is kept, in [0, 1). */
  momentum: fraction.default(0),
  /** Divides by the deviation: the running mean's square is taken away first. */
  centered: flag.default(false),
});

export type RMSpropOptions = Given<typeof record>;

/**
 * v ← α·v + (1 − α)·g², d = √v + ε (Hinton 2012), centered: a ← α·a + (1 − α)·g, d = √(v − a²) + ε (Graves 2013); p ← p − rate·g ÷ d, or with momentum
 * μ: b ← μ·b + g ÷ d, p ← p − rate·b. PyTorch's formula, but v − a² below 0, which rounding makes, counts as 0. Decay: L2. Slots: v, mean, momentum.
 */
export class RMSprop extends optimizing(record, ({ centered, momentum }) => ({
  slots: zeroSlots("v", ...(centered ? ["mean"] : []), ...(momentum > 0 ? ["momentum"] : [])),
})) {
  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const { alpha, epsilon } = this.options;
    const v = slots.v.mul(alpha).add(gradient.mul(gradient).mul(1 - alpha));
    const mean = slots.mean?.mul(alpha).add(gradient.mul(1 - alpha));
    const deviation = sqrt(mean ? maximum(v.sub(mean.mul(mean)), 0) : v).add(epsilon);
    const scaled = gradient.div(deviation);
    const momentum = slots.momentum?.mul(this.options.momentum).add(scaled);
    return {
      parameter: parameter.sub((momentum ?? scaled).mul(scalars.learningRate)),
      slots: { v, ...(mean && { mean }), ...(momentum && { momentum }) },
    };
  }
}

/** RMSprop with L2 decay (default 0). */
export const rmsprop = maker(record, RMSprop);
