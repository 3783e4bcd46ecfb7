// Adam and AdamW.
import { anything, checkArguments, oneOf, signature } from "../core/arguments.ts";
import { flag, fraction, type Given, nonNegative, options, type Read, tuple } from "../core/options.ts";
import { integerPower } from "../core/real.ts";
import { named } from "../core/things.ts";
import { maximum, sqrt } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { readOptions } from "./arguments.ts";
import {
  Optimizer,
  optimizerFields,
  type ParameterGroup,
  type ParametersOrGroups,
  type Update,
  type Updated,
  zeroSlots,
} from "./optimizer.ts";
import type { OptimizerArguments } from "./optimizing.ts";

/** Two decay rates, each in [0, 1). */
export const betas = tuple("two numbers in [0, 1)", fraction, fraction);

export const momentFields = {
  /** Decay of the two moments, each in [0, 1). */
  betas: betas.default([0.9, 0.999]),
  /** Added to the denominator. */
  epsilon: nonNegative.default(1e-8),
} as const;

const adamFields = {
  ...optimizerFields,
  ...momentFields,
  /** Divides by the largest second moment so far (Reddi et al. 2018). */
  amsgrad: flag.default(false),
} as const;
const records = {
  adam: options("Adam", adamFields),
  adamW: options("AdamW", {
    ...adamFields,
    /** Decay rate; by default on parameters of two axes or more only: not on biases and norms. */
    weightDecay: nonNegative.default(0.01),
  }),
} as const;

export type AdamOptions = Given<typeof records.adam>;

/** m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g². */
export function moments(
  gradient: Tensor,
  { m, v }: Readonly<Record<string, Tensor>>,
  [beta1, beta2]: readonly [number, number],
): { m: Tensor; v: Tensor } {
  return {
    m: m.mul(beta1).add(gradient.mul(1 - beta1)),
    v: v.mul(beta2).add(gradient.mul(gradient).mul(1 - beta2)),
  };
}

/** What `adamRule` takes from the host at step t: rate ÷ (1 − β₁ᵗ), and √(1 − β₂ᵗ). */
export function adamScalars(
  optimizer: Optimizer,
  group: ParameterGroup,
  [beta1, beta2]: readonly [number, number],
): Record<"stepSize" | "correction", () => number> {
  return {
    stepSize: () => group.learningRate / (1 - integerPower(beta1, optimizer.steps)),
    correction: () => Math.sqrt(1 - integerPower(beta2, optimizer.steps)),
  };
}

/** Adam's step without decay, from slots m and v (and vMax under amsgrad) and `adamScalars`. */
export function adamRule(
  { parameter, gradient, slots, scalars }: Update,
  betas: readonly [number, number],
  epsilon: number,
): Updated {
  const { m, v } = moments(gradient, slots, betas);
  const vMax = slots.vMax && maximum(slots.vMax, v);
  const denominator = sqrt(vMax ?? v)
    .div(scalars.correction)
    .add(epsilon);
  return {
    parameter: parameter.sub(m.div(denominator).mul(scalars.stepSize)),
    slots: { m, v, ...(vMax && { vMax }) },
  };
}

const call = signature("optim.Adam", { where: oneOf(["adam", "adamW"]), parameters: anything, "options?": anything });

/**
 * Adam (Kingma & Ba 2015): m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², p ← p − (rate ÷ (1 − β₁ᵗ))·m ÷ (√v ÷ √(1 − β₂ᵗ) + ε). Decay: L2, g ← g + decay·p;
 * decoupled (AdamW, Loshchilov & Hutter 2019): p ← p·(1 − rate·decay) first. PyTorch's formula. Slots: m, v; amsgrad: vMax, which takes v's place in the denominator.
 */
export class Adam extends Optimizer<Read<typeof records.adam>> {
  constructor(where: "adam" | "adamW", parameters: ParametersOrGroups, options: AdamOptions) {
    checkArguments(call, arguments);
    const read = readOptions(where, records[where], options, [parameters, options]);
    const slots = zeroSlots("m", "v", ...(read.amsgrad ? ["vMax"] : []));
    super(where, parameters, { slots, decay: where === "adamW" ? "decoupled" : "l2" }, read);
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    return adamScalars(this, group, this.options.betas);
  }

  protected override rule(update: Update): Updated {
    return adamRule(update, this.options.betas, this.options.epsilon);
  }
}

/** Adam with L2 decay (default 0). */
export const adam = named(records.adam, (...given: OptimizerArguments<AdamOptions>) => new Adam("adam", ...given));

/** Adam with decoupled weight decay, 0.01 unless given. */
export const adamW = named(records.adamW, (...given: OptimizerArguments<AdamOptions>) => new Adam("adamW", ...given));
