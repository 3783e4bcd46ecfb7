// Muon: momentum made orthogonal, for matrices; AdamW for everything else.

import { ConfigError } from "../core/errors.ts";
import { matches } from "../core/glob.ts";
import { flag, fraction, type Given, list, nonNegative, numberOf, options, text, word } from "../core/options.ts";
import { maker } from "../core/things.ts";
import type { Parameter } from "../program/variable.ts";
import { adamRule, adamScalars, betas } from "./adam.ts";
import { optimizerFields, type ParameterGroup, type Update, type Updated, zeroSlots } from "./optimizer.ts";
import { type OptimizerArguments, optimizing } from "./optimizing.ts";
import { orthogonalize } from "./orthogonalize.ts";

const record = options("Muon", {
  ...optimizerFields,
  /** How much of the momentum is kept, in [0, 1). */
  momentum: fraction.default(0.95),
  /** Nesterov's form. */
  nesterov: flag.default(true),
  /** Newton–Schulz iterations. */
  newtonSchulzSteps: numberOf("an integer ≥ 1 and < 100", { integer: true, least: 1, below: 100 }).default(5),
  /** `original`: steps times √max(1, rows ÷ columns). `match_rms_adamw`: times 0.2·√max(rows, columns), so that AdamW's rates and decay fit. */
  adjust: word("original", "match_rms_adamw").default("original"),
  /** Globs of matrices that AdamW updates: embeddings, the last layer. */
  adam: list(text).default([]),
  /** AdamW's decay of the two moments, for those and for what has fewer than two axes. */
  adamBetas: betas.default([0.9, 0.95]),
  /** Added to AdamW's denominator. */
  adamEpsilon: nonNegative.default(1e-8),
});

export type MuonOptions = Given<typeof record>;

/** Whether AdamW updates a parameter: what is no matrix, and what one of the globs matches. */
const isByAdam = ({ rank, label = "" }: Parameter, globs: readonly string[]): boolean =>
  rank < 2 || globs.some((glob) => matches(glob, label));

/**
 * For parameters of two axes or more, the later ones flattened: b ← μ·b + (1 − μ)·g, u = (1 − μ)·g + μ·b with Nesterov, else b; p ← p·(1 − rate·decay) − rate·s·orthogonalize(u), s
 * as `adjust` says (Jordan et al. 2024; Liu et al. 2025 for match_rms_adamw; float32 throughout, where theirs iterates in bfloat16). For the others AdamW, with
 * the same rate: give them a group for one of their own. Slots: momentum, or m and v.
 */
export class Muon extends optimizing(record, ({ adam }) => ({
  slots: (parameter) => zeroSlots(...(isByAdam(parameter, adam) ? ["m", "v"] : ["momentum"]))(parameter),
  decay: "decoupled",
})) {
  constructor(...given: OptimizerArguments<MuonOptions>) {
    super(...given);
    const globs = this.options.adam;
    const unused = globs.find((glob) => !this.parameters.some(({ label = "" }) => matches(glob, label)));
    if (unused === undefined) return;
    throw new ConfigError({
      where: "muon.adam",
      problem: "no parameter's path matches",
      got: unused,
      expected: `a glob of ${this.parameterNames.join(", ")}`,
    });
  }

  protected override scalars(group: ParameterGroup): Record<string, () => number> {
    const { adam, adamBetas } = this.options;
    const some = group.parameters.some((parameter) => isByAdam(parameter, adam));
    return { learningRate: () => group.learningRate, ...(some && adamScalars(this, group, adamBetas)) };
  }

  protected override rule(update: Update): Updated {
    const { parameter, gradient, slots, scalars } = update;
    const { momentum: kept, nesterov, newtonSchulzSteps, adjust, adamBetas, adamEpsilon } = this.options;
    if (!slots.momentum) return adamRule(update, adamBetas, adamEpsilon);
    const fresh = gradient.mul(1 - kept);
    const momentum = slots.momentum.mul(kept).add(fresh);
    const direction = nesterov ? fresh.add(momentum.mul(kept)) : momentum;
    const rows = parameter.shape[0];
    const columns = parameter.size / rows;
    const orthogonal = orthogonalize(direction.reshape([rows, columns]), newtonSchulzSteps).reshape(parameter.shape);
    const scale =
      adjust === "original" ? Math.sqrt(Math.max(1, rows / columns)) : 0.2 * Math.sqrt(Math.max(rows, columns));
    return { parameter: parameter.sub(orthogonal.mul(scalars.learningRate.mul(scale))), slots: { momentum } };
  }
}

/** Muon with decoupled decay (default 0). Throws ConfigError for a glob that matches nothing. */
export const muon = maker(record, Muon);
