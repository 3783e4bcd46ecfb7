// Metrics of classification out of the confusion matrix: how many targets of each class were taken for each class. The counts are exact integers, up to
// 2²⁴ a batch.
import { refuse, ShapeError } from "../../core/errors.ts";
import { type Given, nonNegative, options, word } from "../../core/options.ts";
import { factory } from "../../core/things.ts";
import { ones } from "../../tensor/creation.ts";
import { cast, scatterAdd } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ignoredFields } from "../losses/cross-entropy.ts";
import type { Batch } from "../module.ts";
import { classMetricOf, countedTargets, type IgnoredOptions, type Metric, predictions } from "./metric.ts";

/** Counts by target · classes + predicted class: [classes²] float32. A target out of range that isn't ignored is an error when run. */
function confusion(where: string, outputs: Tensor, batch: Batch, given: IgnoredOptions): Tensor {
  const { targets, counts } = countedTargets(where, batch, given);
  const { predicted, classes } = predictions(where, outputs, targets);
  const cells = cast(targets, "int32").mul(classes).add(predicted).reshape([targets.size]);
  return scatterAdd(cells, counts?.reshape([targets.size]) ?? ones([targets.size]), 0, classes * classes);
}

/** Each class's counts: rightly found, wrongly found, missed. */
function countsOf(totals: readonly number[]) {
  const classes = Math.sqrt(totals.length);
  const at = (target: number, predicted: number) => totals[target * classes + predicted];
  return Array.from({ length: classes }, (_, own) => {
    let [found, there] = [0, 0];
    for (let other = 0; other < classes; other++) {
      found += at(other, own);
      there += at(own, other);
    }
    return { hits: at(own, own), wrong: found - at(own, own), missed: there - at(own, own) };
  });
}

type Counts = ReturnType<typeof countsOf>[number];

const quotient = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const meanOf = (values: readonly number[]) => quotient(sumOf(values), values.length);
const occurs = ({ hits, wrong, missed }: Counts) => hits + wrong + missed > 0;

/** How classes' values become one: their mean, over those that occur; the value of all counts together; the mean by number of targets; or class 1's alone. */
export type Average = "macro" | "micro" | "weighted" | "binary";

const averages: Readonly<Record<Average, (counts: readonly Counts[], value: (counts: Counts) => number) => number>> = {
  macro: (counts, value) => meanOf(counts.filter(occurs).map(value)),
  micro: (counts, value) => {
    const total = (key: keyof Counts) => counts.reduce((sum, each) => sum + each[key], 0);
    return value({ hits: total("hits"), wrong: total("wrong"), missed: total("missed") });
  },
  weighted: (counts, value) => {
    const weights = counts.map(({ hits, missed }) => hits + missed);
    return quotient(sumOf(counts.map((each, i) => weights[i] * value(each))), sumOf(weights));
  },
  binary: (counts, value) => value(counts[1]),
};

const averageFields = {
  /** How classes' values become one: their mean, over those that occur; the value of all counts together; the mean by number of targets; or class 1's alone. */
  average: word("macro", "micro", "weighted", "binary").default("macro"),
  ...ignoredFields,
} as const;
type AverageOptions = Given<{ readonly fields: typeof averageFields }>;

function averaged(
  where: string,
  name: string,
  { average = "macro", ...given }: AverageOptions,
  value: (counts: Counts) => number,
): Metric {
  return {
    name: average === "macro" ? name : `${name}_${average}`,
    mode: "max",
    terms: (outputs, batch) => confusion(where, outputs, batch, given),
    value: (totals) => averages[average](countsOf(totals), value),
  };
}

/** A metric of each class, averaged. */
const perClass = (name: string, value: (counts: Counts) => number): ((options?: AverageOptions) => Metric) =>
  factory(options(name, `metrics.${name}`, averageFields), (given) => averaged(`metrics.${name}`, name, given, value));

/** Of what was found of a class, the part that is right; 0 where nothing was found. */
export const precision = perClass("precision", ({ hits, wrong }) => quotient(hits, hits + wrong));

/** Of what is there of a class, the part that was found; 0 where nothing is there. */
export const recall = perClass("recall", ({ hits, missed }) => quotient(hits, hits + missed));

const fBetaRecord = options("f_beta", "metrics.fBeta", {
  /** How many times as much recall counts. */
  beta: nonNegative.default(1),
  ...averageFields,
});
export type FBetaOptions = Given<typeof fBetaRecord>;

/** (1 + β²)·hits ÷ ((1 + β²)·hits + β²·missed + wrong) (van Rijsbergen 1979): recall counts β times as much as precision. β ≥ 0, default 1. Named f1, f2, f0.5 … */
export const fBeta = factory(fBetaRecord, ({ beta, ...given }) => {
  const square = beta * beta;
  return averaged(fBetaRecord.where, `f${beta}`, given, ({ hits, wrong, missed }) =>
    quotient((1 + square) * hits, (1 + square) * hits + square * missed + wrong),
  );
});

/** 2·hits ÷ (2·hits + missed + wrong) (Dice 1945): the overlap of what is there and what was found, as segmentation calls F₁. */
export const dice = perClass("dice", ({ hits, wrong, missed }) => quotient(2 * hits, 2 * hits + missed + wrong));

/** hits ÷ (hits + missed + wrong), the intersection over the union (Jaccard 1912), averaged over the classes that occur. */
export const meanIoU = factory(options("mean_iou", "metrics.meanIoU", ignoredFields), (given) =>
  averaged("metrics.meanIoU", "mean_iou", given, ({ hits, wrong, missed }) => quotient(hits, hits + missed + wrong)),
);

const mostClasses = 64;

/** How many targets of each class were taken for each class, `confusion_matrix/target/predicted`: the report draws it. Of at most 64 classes. */
export const confusionMatrix = classMetricOf("confusion_matrix", (where, given) => ({
  terms: (outputs, batch) => {
    const counts = confusion(where, outputs, batch, given);
    if (counts.size <= mostClasses * mostClasses) return counts;
    const problem = "too many classes to log a number for each pair";
    const hint = "perClassAccuracy logs a number for each";
    refuse(ShapeError, where, problem, Math.sqrt(counts.size), `at most ${mostClasses}`, hint);
  },
  value: (totals) => {
    const classes = Math.sqrt(totals.length);
    return Object.fromEntries(totals.map((count, i) => [`${Math.floor(i / classes)}/${i % classes}`, count]));
  },
}));

/** The accuracy of each class that has targets, by its number, and their `mean`. */
export const perClassAccuracy = classMetricOf("per_class_accuracy", (where, given) => ({
  mode: "max",
  terms: (outputs, batch) => confusion(where, outputs, batch, given),
  value: (totals) => {
    const found = countsOf(totals).flatMap(({ hits, missed }, own) =>
      hits + missed > 0 ? [[String(own), hits / (hits + missed)] as const] : [],
    );
    return { ...Object.fromEntries(found), mean: meanOf(found.map(([, value]) => value)) };
  },
}));
