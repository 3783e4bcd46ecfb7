// Adamax.
import { type Given, options } from "../core/options.ts";
import { integerPower } from "../core/real.ts";
import { maker } from "../core/things.ts";
import { maximum } from "../tensor/families/basic.ts";
import { momentFields } from "./adam.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("Adamax", { ...optimizerFields, ...momentFields });

export type AdamaxOptions = Given<typeof record>;

/**
 * m ← β₁·m + (1 − β₁)·g, u ← max(β₂·u, |g| + ε), p ← p − (rate ÷ (1 − β₁ᵗ))·m ÷ u (Kingma & Ba 2015, section 7.1; PyTorch's formula). Decay:
 * L2. Slots: m, u.
 */
export class Adamax extends optimizing(record, { slots: zeroSlots("m", "u") }) {
  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return { stepSize: () => group.learningRate / (1 - integerPower(this.options.betas[0], this.steps)) };
  }

  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const [beta1, beta2] = this.options.betas;
    const m = slots.m.mul(beta1).add(gradient.mul(1 - beta1));
    const u = maximum(slots.u.mul(beta2), gradient.abs().add(this.options.epsilon));
    return { parameter: parameter.sub(m.div(u).mul(scalars.stepSize)), slots: { m, u } };
  }
}

/** Adamax with L2 decay (default 0). */
export const adamax = maker(record, Adamax);
