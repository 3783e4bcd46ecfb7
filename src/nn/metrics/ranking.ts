// Metrics of the order that outputs put things in. Ties go to the lower index.
import { ConfigError, DataError, refuse, ShapeError } from "../../core/errors.ts";
import { countOf, countUpTo, type Fields, type OptionRecord, options } from "../../core/options.ts";
import { sameShape } from "../../core/shape.ts";
import { factory } from "../../core/things.ts";
import { ones } from "../../tensor/creation.ts";
import * as functions from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { ignoredFields } from "../losses/cross-entropy.ts";
import { targetsOf } from "../losses/loss.ts";
import type { Batch } from "../module.ts";
import { countedTargets, type IgnoredOptions, type Metric, share } from "./metric.ts";

const k = countOf("places");

interface Ranked extends IgnoredOptions {
  readonly k: number;
}

/** How many of each row's relevant ones are among its k largest scores, and how many there are: [rows] each; and how many rows count. Targets are class numbers [...], or relevance of the outputs' shape, 1 for what is to be found. */
function hitsOf(where: string, { k, ...given }: Ranked, outputs: Tensor, batch: Batch) {
  const { targets, counts } = countedTargets(where, batch, given);
  const classes = outputs.shape[outputs.rank - 1];
  const isRelevance = sameShape(outputs.shape, targets.shape);
  if (!classes || !(isRelevance || sameShape(outputs.shape.slice(0, -1), targets.shape))) {
    const problem = "targets are neither class numbers nor relevance";
    refuse(ShapeError, where, problem, [outputs, targets], "[..., classes] and [...], or one shape");
  }
  if (isRelevance && counts) {
    const problem = "targets are relevance, of which none is ignored";
    refuse(ConfigError, `${where}.ignoreIndex`, problem, undefined, "targets of class numbers, int32");
  }
  if (k > classes) refuse(ShapeError, where, "more places than classes", `k = ${k}`, `at most ${classes}`);
  const rows = outputs.size / classes;
  const scores = outputs.reshape([rows, classes]);
  if (isRelevance) {
    const relevance = functions.cast(targets, "float32").reshape(scores.shape);
    const hits = functions.sum(functions.mul(largest(scores, k), relevance), { axis: 1 });
    return { hits, relevant: functions.sum(relevance, { axis: 1 }), rows };
  }
  const labels = functions.cast(targets, "int32").reshape([rows]);
  const relevant = counts?.reshape([rows]);
  const hits = areLargest(scores, labels, k);
  if (!relevant) return { hits, relevant: ones([rows]), rows };
  return { hits: hits.mul(relevant), relevant, rows: functions.sum(relevant) };
}
type Hits = ReturnType<typeof hitsOf>;

/** 1 where a score is among the k largest of its row, 0 elsewhere. [rows, classes] → the same. */
function largest(scores: Tensor, k: number): Tensor {
  let [rest, chosen] = [scores, functions.full(scores.shape, 0)];
  for (let place = 0; place < k; place++) {
    const best = functions.oneHot(functions.argmax(rest, { axis: 1 }), scores.shape[1]);
    chosen = functions.add(chosen, best);
    rest = functions.where(functions.greater(best, 0), Number.NEGATIVE_INFINITY, rest);
  }
  return functions.minimum(chosen, 1);
}

/** The same for one score of each row, whose number labels say: [rows] → [rows]. */
function areLargest(scores: Tensor, labels: Tensor, k: number): Tensor {
  const at = labels.reshape([labels.size, 1]);
  const own = scores.gather(at, 1);
  const isBefore = functions.less(functions.coordinate(scores.shape, 1), at);
  const earlier = functions.logicalAnd(functions.equal(scores, own), isBefore);
  const rank = functions.sum(functions.logicalOr(functions.greater(scores, own), earlier), { axis: 1 });
  const real = functions.equal(own, own).reshape([labels.size]);
  return functions.cast(functions.logicalAnd(functions.less(rank, k), real), "float32");
}

/** What makes a metric of the k largest of each row; `parts`: of what is found and what there is. */
const atK = <S extends Fields>(
  record: OptionRecord<S>,
  name: (k: number) => string,
  parts: (found: Hits, k: number) => readonly [part: Tensor, whole: Tensor | number],
) =>
  factory(record, (read): Metric => {
    const given = read as unknown as Ranked;
    const found = (outputs: Tensor, batch: Batch) => hitsOf(record.where, given, outputs, batch);
    return { name: name(given.k), ...share("max", (outputs, batch) => parts(found(outputs, batch), given.k)) };
  });

/** The share of samples whose target is among the k largest outputs; k default 5. outputs: [..., classes], targets: [...] int32. */
export const topKAccuracy = atK(
  options("top_k_accuracy", "metrics.topKAccuracy", {
    /** How many of the largest outputs count. */
    k: k.default(5),
    ...ignoredFields,
  }),
  (k) => `top_${k}_accuracy`,
  ({ hits, rows }) => [functions.sum(hits), rows],
);

const kFields = {
  /** How many of the largest outputs count. */
  k,
  ...ignoredFields,
} as const;

/** Of the k largest outputs of a row, the part that is relevant, averaged over rows. targets: class numbers [...], or relevance in {0, 1} of the outputs' shape. */
export const precisionAtK = atK(
  options("precision_at_k", "metrics.precisionAtK", kFields),
  (k) => `precision_at_${k}`,
  ({ hits, rows }, k) => [functions.sum(hits), typeof rows === "number" ? rows * k : rows.mul(k)],
);

/** Of what is relevant in a row, the part among its k largest outputs, averaged over rows that have any. Targets as `precisionAtK`'s. */
export const recallAtK = atK(
  options("recall_at_k", "metrics.recallAtK", kFields),
  (k) => `recall_at_${k}`,
  ({ hits, relevant }) => {
    const any = functions.greater(relevant, 0);
    const part = functions.where(any, functions.div(hits, functions.where(any, relevant, 1)), 0);
    return [functions.sum(part), functions.sum(functions.cast(any, "float32"))];
  },
);

const bins = countUpTo("bins", 2 ** 24, "more bins than float32 tells probabilities apart by", {
  got: (bins) => `${bins}: ${((8 * bins) / 2 ** 20).toPrecision(3)} MiB a batch`,
});

/**
 * The area under the ROC curve: how often a positive's score is above a negative's, ties half (Mann & Whitney 1947), over all pairs of all batches: exact, counted and divided
 * once. It keeps two numbers a sample; with `bins` it counts a histogram of the probabilities instead, and pairs in one bin are ties. outputs: logits of the targets' shape, or
 * [..., 2], whose difference is the score; targets 0 or 1. NaN where a class is missing or a score is NaN.
 */
export const auc = factory(
  options("auc", "metrics.auc", {
    /** Counts a histogram of so many bins in place of all scores. */
    bins: bins.optional(),
    ...ignoredFields,
  }),
  ({ bins, ...given }): Metric => ({
    name: "auc",
    mode: "max",
    ...(bins === undefined ? exactAuc(given) : binnedAuc(bins, given)),
  }),
);

type Area = Omit<Metric, "name" | "mode">;

function exactAuc({ ignoreIndex }: IgnoredOptions): Area {
  return {
    collects: true,
    terms: (outputs, batch) => {
      const targets = targetsOf("metrics.auc", batch);
      const column = (x: Tensor) => x.reshape([targets.size]);
      const pairs = [column(logitOf(outputs, targets)), column(functions.cast(targets, "float32"))];
      return functions.stack(pairs, 1).reshape([2 * targets.size]);
    },
    value: (pairs) => {
      const scores: [number[], number[]] = [[], []];
      for (let i = 0; i < pairs.length; i += 2) {
        const [score, target] = [pairs[i], pairs[i + 1]];
        if (ignoreIndex !== undefined && target === Math.fround(ignoreIndex)) continue;
        if (Number.isNaN(score)) return Number.NaN;
        if (target !== 0 && target !== 1)
          refuse(DataError, "metrics.auc", `the target of sample ${i / 2} is no class`, target, "0 or 1");
        scores[target].push(score);
      }
      return shareAbove(Float32Array.from(scores[1]).sort(), Float32Array.from(scores[0]).sort());
    },
  };
}

/** Of all pairs, how often the positive is larger, a tie counting half. Both ascending. */
function shareAbove(positives: Float32Array, negatives: Float32Array): number {
  let [lower, upTo, above] = [0, 0, 0];
  for (const score of positives) {
    while (lower < negatives.length && negatives[lower] < score) lower++;
    while (upTo < negatives.length && negatives[upTo] <= score) upTo++;
    above += (lower + upTo) / 2;
  }
  return above / (positives.length * negatives.length);
}

function binnedAuc(bins: number, given: IgnoredOptions): Area {
  return {
    terms: (outputs, batch) => {
      const { targets, counts } = countedTargets("metrics.auc", batch, given);
      const probability = functions.sigmoid(logitOf(outputs, targets)).reshape([targets.size]);
      const bin = functions.cast(functions.minimum(functions.floor(probability.mul(bins)), bins - 1), "int32");
      const cells = functions.cast(targets, "int32").reshape([targets.size]).mul(bins).add(bin);
      return functions.scatterAdd(cells, counts?.reshape([targets.size]) ?? ones([targets.size]), 0, 2 * bins);
    },
    value: (totals) => {
      let [below, above, pairs] = [0, 0, 0];
      for (let bin = 0; bin < bins; bin++) {
        const [negatives, positives] = [totals[bin], totals[bins + bin]];
        pairs += positives * (below + negatives / 2);
        below += negatives;
        above += positives;
      }
      return pairs / (below * above);
    },
  };
}

function logitOf(outputs: Tensor, targets: Tensor): Tensor {
  if (sameShape(outputs.shape, targets.shape)) return outputs;
  if (sameShape(outputs.shape.slice(0, -1), targets.shape) && outputs.shape[outputs.rank - 1] === 2) {
    const pairs = outputs.reshape([targets.size, 2]);
    return pairs.slice([null, 1]).sub(pairs.slice([null, 0]));
  }
  refuse(ShapeError, "metrics.auc", "no score for each target", [outputs, targets], "one shape, or [..., 2] and [...]");
}
