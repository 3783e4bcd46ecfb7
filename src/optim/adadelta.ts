// Adadelta.
import { fraction, type Given, nonNegative, options } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { sqrt } from "../tensor/families/basic.ts";
import { optimizerFields, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("Adadelta", {
  ...optimizerFields,
  /** Decay of the running averages, in [0, 1). */
  rho: fraction.default(0.9),
  /** Added under both roots. */
  epsilon: nonNegative.default(1e-6),
});

export type AdadeltaOptions = Given<typeof record>;

/**
 * v ← ρ·v + (1 − ρ)·g², δ = √(u + ε) ÷ √(v + ε)·g, u ← ρ·u + (1 − ρ)·δ², p ← p − rate·δ (Zeiler 2012; PyTorch's formula, a learning rate
 * of 1 is the paper's). Decay: L2. Slots: v, u.
 */
export class Adadelta extends optimizing(record, { slots: zeroSlots("v", "u") }) {
  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const { rho, epsilon } = this.options;
    const v = slots.v.mul(rho).add(gradient.mul(gradient).mul(1 - rho));
    const step = sqrt(slots.u.add(epsilon))
      .div(sqrt(v.add(epsilon)))
      .mul(gradient);
    const u = slots.u.mul(rho).add(step.mul(step).mul(1 - rho));
    return { parameter: parameter.sub(step.mul(scalars.learningRate)), slots: { v, u } };
  }
}

/** Adadelta with L2 decay (default 0). */
export const adadelta = maker(record, Adadelta);
