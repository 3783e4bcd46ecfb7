// What a metric is: terms that a graph computes a batch, added up on the host over batches, and numbers out of the totals.
import { refuse, ShapeError } from "../../core/errors.ts";
import { camelCase } from "../../core/keys.ts";
import { type Given, options } from "../../core/options.ts";
import { sameShape } from "../../core/shape.ts";
import { factory } from "../../core/things.ts";
import { tensor } from "../../tensor/creation.ts";
import * as functions from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ignoredFields } from "../losses/cross-entropy.ts";
import { targetsOf } from "../losses/loss.ts";
import type { Batch } from "../module.ts";

export interface Metric {
  readonly name: string;
  /** Which values are better. What chooses by the metric (EarlyStopping, ReduceOnPlateau, keepBest) asks for a `mode` of its own where it is left out. */
  readonly mode?: "min" | "max";
  /** Whether `value` is given the terms of all batches one after another, as a metric of ranks over all samples needs them, in place of their totals. */
  readonly collects?: boolean;
  /** What adds up over batches: [k] float32, computed in the evaluation graph. */
  terms(outputs: Tensor, batch: Batch): Tensor;
  /** The metric from the terms' totals in float64, or from all terms; or several numbers, which are shown as `name/key`. */
  value(totals: readonly number[]): number | Readonly<Record<string, number>>;
}

/** What makes a metric without options, which a config calls by its name. */
export const metricOf = (name: string, metric: Omit<Metric, "name">): (() => Metric) =>
  factory(options(name, `metrics.${camelCase(name)}`, {}), () => ({ name, ...metric }));

export type IgnoredOptions = Given<{ readonly fields: typeof ignoredFields }>;

/** What makes a metric of class numbers, of which some may be ignored; `where`: what errors call it. */
export function classMetricOf(
  name: string,
  make: (where: string, given: IgnoredOptions) => Omit<Metric, "name">,
): (options?: IgnoredOptions) => Metric {
  const record = options(name, `metrics.${camelCase(name)}`, ignoredFields);
  return factory(record, (given) => ({ name, ...make(record.where, given) }));
}

/** What a metric keeps of its batches, after one more: totals, or all terms. */
export function withTerms({ collects }: Pick<Metric, "collects">, kept: number[], terms: ArrayLike<number>): number[] {
  for (let i = 0; i < terms.length; i++) {
    if (collects) kept.push(terms[i]);
    else kept[i] = (kept[i] ?? 0) + terms[i];
  }
  return kept;
}

/** The first total divided by the second. */
export const ratio = ([part, whole]: readonly number[]): number => part / whole;

/** A metric that is a part of a whole, each added up over the batches; `value`: what is made of their quotient. */
export const share = (
  mode: Metric["mode"],
  parts: (outputs: Tensor, batch: Batch) => readonly [part: Tensor, whole: Tensor | number],
  value: (quotient: number) => number = (quotient) => quotient,
): Omit<Metric, "name"> => ({
  ...(mode && { mode }),
  terms: (outputs, batch) => {
    const [part, whole] = parts(outputs, batch);
    return functions.stack([part, typeof whole === "number" ? tensor(whole) : whole]);
  },
  value: (totals) => value(ratio(totals)),
});

/** A batch's class numbers, and what each counts where some are ignored: 0 for these, which are class 0 then. Throws ConfigError where it has none. */
export function countedTargets(
  where: string,
  batch: Batch,
  { ignoreIndex }: IgnoredOptions,
): { targets: Tensor; counts?: Tensor } {
  const targets = targetsOf(where, batch);
  if (ignoreIndex === undefined) return { targets };
  const kept = functions.notEqual(targets, ignoreIndex);
  return { targets: functions.where(kept, targets, 0), counts: functions.cast(kept, "float32") };
}

/** Classes as outputs give them: the largest of [..., classes], or of outputs of the targets' own shape, which are logits, whether they are > 0. Throws ShapeError for other shapes, and for one class alone, which all would be. */
export function predictions(where: string, outputs: Tensor, targets: Tensor): { predicted: Tensor; classes: number } {
  if (sameShape(outputs.shape, targets.shape))
    return { predicted: functions.cast(functions.greater(outputs, 0), "int32"), classes: 2 };
  const classes = outputs.shape[outputs.rank - 1];
  if (sameShape(outputs.shape.slice(0, -1), targets.shape) && classes !== 1)
    return { predicted: functions.argmax(outputs, { axis: -1 }), classes };
  const expected = "[..., classes] and [...], or one shape";
  const hint = classes === 1 ? "a logit for each target has the targets' shape: outputs.squeeze(-1)" : undefined;
  refuse(ShapeError, where, "no class for each target", [outputs, targets], expected, hint);
}
