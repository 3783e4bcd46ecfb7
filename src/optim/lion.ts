// Lion: the sign of an interpolated momentum.
import { type Given, options } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { sign } from "../tensor/families/basic.ts";
import { betas } from "./adam.ts";
import { optimizerFields, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { optimizing } from "./optimizing.ts";

const record = options("Lion", {
  ...optimizerFields,
  /** Of the direction, and of the momentum that is kept, each in [0, 1). */
  betas: betas.default([0.9, 0.99]),
});

export type LionOptions = Given<typeof record>;

/** p ← p·(1 − rate·decay) − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g (Chen et al. 2023, algorithm 2). Slot: m. */
export class Lion extends optimizing(record, { slots: zeroSlots("m"), decay: "decoupled" }) {
  protected override rule({ parameter, gradient, slots, scalars }: Update): Updated {
    const [beta1, beta2] = this.options.betas;
    const direction = sign(slots.m.mul(beta1).add(gradient.mul(1 - beta1)));
    const m = slots.m.mul(beta2).add(gradient.mul(1 - beta2));
    return { parameter: parameter.sub(direction.mul(scalars.learningRate)), slots: { m } };
  }
}

/** Lion with decoupled decay (default 0). */
export const lion = maker(record, Lion);
