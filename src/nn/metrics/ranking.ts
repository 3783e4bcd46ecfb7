// Metrics of the order that outputs put things in. Ties go to the lower index.
import { DataError, refuse, ShapeError } from "../../core/errors.ts";
import { countOf, countUpTo, options } from "../../core/options.ts";
import { formatShape, sameShape } from "../../core/shape.ts";
import { factory } from "../../core/things.ts";
import { ones, tensor } from "../../tensor/creation.ts";
import {
  add,
  argmax,
  cast,
  div,
  equal,
  floor,
  greater,
  less,
  logicalAnd,
  logicalOr,
  minimum,
  mul,
  oneHot,
  ops,
  scatterAdd,
  sigmoid,
  stack,
  sum,
  where,
} from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Batch } from "../module.ts";
import { type Metric, ratio, targetsOf } from "./metric.ts";

const k = countOf("places");

/** Rows of scores with their targets: class numbers [rows], or relevance [rows, classes], 1 for what is to be found. */
interface Rows {
  readonly scores: Tensor;
  readonly labels?: Tensor;
  readonly relevant?: Tensor;
}

function rowsOf(place: string, outputs: Tensor, batch: Batch): Rows {
  const targets = targetsOf(place, batch);
  const classes = outputs.shape[outputs.rank - 1];
  const scores = outputs.reshape([outputs.size / classes, classes]);
  if (sameShape(outputs.shape, targets.shape))
    return { scores, relevant: cast(targets, "float32").reshape(scores.shape) };
  if (sameShape(outputs.shape.slice(0, -1), targets.shape))
    return { scores, labels: cast(targets, "int32").reshape([targets.size]) };
  throw new ShapeError({
    where: `metrics.${place}`,
    problem: "targets are neither class numbers nor relevance",
    got: `${formatShape(outputs.shape)} and ${formatShape(targets.shape)}`,
    expected: "[..., classes] and [...], or one shape",
  });
}

/** How many of each row's relevant ones are among its k largest scores, and how many there are: [rows] each. */
function hitsOf(place: string, k: number, outputs: Tensor, batch: Batch): { hits: Tensor; relevant: Tensor } {
  const { scores, labels, relevant } = rowsOf(place, outputs, batch);
  const [rows, classes] = scores.shape;
  if (k > classes) refuse(ShapeError, `metrics.${place}`, "more places than classes", `k = ${k}`, `at most ${classes}`);
  if (labels) {
    const at = labels.reshape([rows, 1]);
    const own = scores.gather(at, 1);
    const earlier = logicalAnd(equal(scores, own), less(ops.coordinate(scores.shape, 1), at));
    const rank = sum(logicalOr(greater(scores, own), earlier), { axis: 1 });
    const real = equal(own, own).reshape([rows]);
    return { hits: cast(logicalAnd(less(rank, k), real), "float32"), relevant: ones([rows]) };
  }
  let [rest, chosen] = [scores, ops.full(scores.shape, 0)];
  for (let place = 0; place < k; place++) {
    const best = oneHot(argmax(rest, { axis: 1 }), classes);
    chosen = add(chosen, best);
    rest = where(greater(best, 0), Number.NEGATIVE_INFINITY, rest);
  }
  return { hits: sum(mul(minimum(chosen, 1), relevant!), { axis: 1 }), relevant: sum(relevant!, { axis: 1 }) };
}

/** The share of samples whose target is among the k largest outputs; k default 5. outputs: [..., classes], targets: [...] int32. */
export const topKAccuracy = factory(
  options("top_k_accuracy", "metrics.topKAccuracy", {
    /** How many of the largest outputs count. */
    k: k.default(5),
  }),
  ({ k }): Metric => ({
    name: `top_${k}_accuracy`,
    mode: "max",
    terms: (outputs, batch) => {
      const { hits } = hitsOf("topKAccuracy", k, outputs, batch);
      return stack([sum(hits), tensor(hits.size)]);
    },
    value: ratio,
  }),
);

const atK = {
  /** How many of the largest outputs count. */
  k,
} as const;

/** Of the k largest outputs of a row, the part that is relevant, averaged over rows. targets: class numbers [...], or relevance in {0, 1} of the outputs' shape. */
export const precisionAtK = factory(
  options("precision_at_k", "metrics.precisionAtK", atK),
  ({ k }): Metric => ({
    name: `precision_at_${k}`,
    mode: "max",
    terms: (outputs, batch) => {
      const { hits } = hitsOf("precisionAtK", k, outputs, batch);
      return stack([sum(hits), tensor(hits.size * k)]);
    },
    value: ratio,
  }),
);

/** Of what is relevant in a row, the part among its k largest outputs, averaged over rows that have any. Targets as `precisionAtK`'s. */
export const recallAtK = factory(
  options("recall_at_k", "metrics.recallAtK", atK),
  ({ k }): Metric => ({
    name: `recall_at_${k}`,
    mode: "max",
    terms: (outputs, batch) => {
      const { hits, relevant } = hitsOf("recallAtK", k, outputs, batch);
      const any = greater(relevant, 0);
      const share = where(any, div(hits, where(any, relevant, 1)), 0);
      return stack([sum(share), sum(cast(any, "float32"))]);
    },
    value: ratio,
  }),
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
  }),
  ({ bins }): Metric => (bins === undefined ? exactAuc() : binnedAuc(bins)),
);

function exactAuc(): Metric {
  return {
    name: "auc",
    mode: "max",
    collects: true,
    terms: (outputs, batch) => {
      const targets = targetsOf("auc", batch);
      const scores = logitOf(outputs, targets).reshape([targets.size]);
      return stack([scores, cast(targets, "float32").reshape([targets.size])], 1).reshape([2 * targets.size]);
    },
    value: (pairs) => {
      const scores: [number[], number[]] = [[], []];
      for (let i = 0; i < pairs.length; i += 2) {
        const [score, target] = [pairs[i], pairs[i + 1]];
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

function binnedAuc(bins: number): Metric {
  return {
    name: "auc",
    mode: "max",
    terms: (outputs, batch) => {
      const targets = targetsOf("auc", batch);
      const probability = sigmoid(logitOf(outputs, targets)).reshape([targets.size]);
      const bin = cast(minimum(floor(probability.mul(bins)), bins - 1), "int32");
      const cells = cast(targets, "int32").reshape([targets.size]).mul(bins).add(bin);
      return scatterAdd(cells, ones([targets.size]), 0, 2 * bins);
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
