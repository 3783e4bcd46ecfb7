// Losses of vectors beside each other: what is alike must be near, what isn't far. A model gives the vectors of a sample as one tensor, stack([a, b], 1).
import { refuse, ShapeError } from "../../core/errors.ts";
import { finite, flag, type Given, nonNegative, positive } from "../../core/options.ts";
import { formatShape, sameShape } from "../../core/shape.ts";
import * as functions from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { byTarget, lossOf, lossOfTerms, lossOptions, targetsOf } from "./loss.ts";
import { reduced } from "./reduction.ts";

/** The vectors of each sample: `count` tensors [batch, width]. Throws ShapeError for outputs that aren't [batch, count, width]. */
function vectorsOf(where: string, outputs: Tensor, count: 2 | 3): Tensor[] {
  if (outputs.rank !== 3 || outputs.shape[1] !== count) {
    const hint = count === 2 ? "stack([a, b], 1)" : "stack([anchor, positive, negative], 1)";
    const problem = `not ${count === 2 ? "two" : "three"} vectors a sample`;
    refuse(ShapeError, where, problem, outputs, `[batch, ${count}, width]`, hint);
  }
  return Array.from({ length: count }, (_, i) => outputs.slice([null, i]));
}

const dot = (a: Tensor, b: Tensor, keepDims = false) => functions.sum(a.mul(b), { axis: -1, keepDims });
/** Added to a square, so that a vector of zeros has a length with a gradient. */
const tiny = 1e-12;

const cosineRecord = lossOptions("cosine_embedding", "losses.cosineEmbedding", {
  /** The cosine above which unlike vectors count. */
  margin: finite.default(0),
});
export type CosineEmbeddingOptions = Given<typeof cosineRecord>;

/** 1 − cos(a, b) of vectors that are alike, where the target is > 0; max(0, cos(a, b) − margin) of others, whose target is 0 or −1 (PyTorch's cosine_embedding_loss). outputs: [batch, 2, width], targets: [batch]. */
export const cosineEmbedding = lossOfTerms(cosineRecord, (outputs, batch, { margin }, where) => {
  const [a, b] = vectorsOf(where, outputs, 2);
  const targets = targetsOf(where, batch);
  if (!sameShape(targets.shape, outputs.shape.slice(0, 1)))
    refuse(ShapeError, where, "a target for each pair", targets, formatShape(outputs.shape.slice(0, 1)));
  const cosine = dot(a, b).div(functions.sqrt(dot(a, a).add(tiny).mul(dot(b, b).add(tiny))));
  const far = functions.maximum(cosine.sub(margin), 0);
  return byTarget(targets, functions.sub(1, cosine), far);
});

const tripletRecord = lossOptions("triplet_margin", "losses.tripletMargin", {
  /** By how much the negative must be farther than the positive. */
  margin: nonNegative.default(1),
  /** Whether the negative's distance is the smaller one of those to anchor and positive (Balntas et al. 2016). */
  swap: flag.default(false),
});
export type TripletMarginOptions = Given<typeof tripletRecord>;

/** max(0, d(anchor, positive) − d(anchor, negative) + margin), d the Euclidean distance of a − b + 10⁻⁶ (Schroff et al. 2015; PyTorch's triplet_margin_loss). outputs: [batch, 3, width]: anchor, positive, negative; no targets: the batch may be `{}`. */
export const tripletMargin = lossOfTerms(tripletRecord, (outputs, _, { margin, swap }, where) => {
  const [anchor, near, far] = vectorsOf(where, outputs, 3);
  const distance = (a: Tensor, b: Tensor) => {
    const difference = a.sub(b).add(1e-6);
    return functions.sqrt(dot(difference, difference));
  };
  const away = distance(anchor, far);
  const apart = swap ? functions.minimum(away, distance(near, far)) : away;
  return functions.maximum(distance(anchor, near).sub(apart).add(margin), 0);
});

const contrastiveRecord = lossOptions("info_nce", "losses.infoNce", {
  /** What cosines are divided by. */
  temperature: positive.default(0.07),
  /** Whether b finds a as well, the mean of both, as in CLIP. */
  symmetric: flag.default(false),
});
export type InfoNceOptions = Given<typeof contrastiveRecord>;

/** −log softmax over j of cos(aᵢ, bⱼ) ÷ temperature, at j = i (van den Oord et al. 2018): of all vectors b of the batch, aᵢ must find its own. outputs: [batch, 2, width]: a and b; no targets: the batch may be `{}`. */
export const infoNce = lossOf(contrastiveRecord, (outputs, batch, { temperature, symmetric, reduction }, where) => {
  const unit = (x: Tensor) => x.div(functions.sqrt(dot(x, x, true).add(tiny)));
  const [a, b] = vectorsOf(where, outputs, 2).map(unit);
  const own = functions.arange(outputs.shape[0]).reshape([-1, 1]);
  const found = (logits: Tensor) => functions.logSoftmax(logits).gather(own, 1).reshape([-1]);
  const scores = functions.matmul(a, b.transpose()).div(temperature);
  const terms = symmetric ? found(scores).add(found(scores.transpose())).mul(0.5) : found(scores);
  return reduced(where, terms, batch, reduction).neg();
});
