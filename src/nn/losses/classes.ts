// Further losses of classes: which of several a row of outputs is.
import { ConfigError, refuse, ShapeError } from "../../core/errors.ts";
import { finite, flag, type Given, nonNegative, numberOf, probability } from "../../core/options.ts";
import { formatShape, sameShape } from "../../core/shape.ts";
import * as functions from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { pick, weightFields, weightsOf } from "./cross-entropy.ts";
import { byTarget, lossOf, lossOfTerms, lossOptions, targetsLike, targetsOf } from "./loss.ts";
import { reduced } from "./reduction.ts";

const marginRecord = lossOptions("multi_margin", "losses.multiMargin", {
  /** By how much the target's score must lead. */
  margin: finite.default(1),
  /** The power of what is missing, 1 or 2. */
  power: numberOf("1 or 2", { integer: true, least: 1, most: 2 }).default(1),
  ...weightFields,
});
export type MultiMarginOptions = Given<typeof marginRecord>;

/** Σ max(0, margin − outputs[target] + outputs[c])ᵖ over the other classes c, ÷ classes (Crammer & Singer 2001; PyTorch's multi_margin_loss): a class's weight multiplies its targets' terms, and a mean is over their number. outputs: [..., classes], targets: [...] int32. */
export const multiMargin = lossOfTerms(marginRecord, (outputs, batch, { margin, power, classWeights }, where) => {
  const targets = targetsOf(where, batch);
  const { rows, index, values } = pick(where, outputs, targets);
  const classes = rows.shape[1];
  const missing = functions.maximum(rows.sub(values).add(margin), 0);
  const powered = power === 2 ? missing.mul(missing) : missing;
  const own = functions.oneHot(targets.reshape([targets.size]), classes, "bool");
  const terms = functions.sum(functions.where(own, 0, powered), { axis: 1, keepDims: true }).div(classes);
  const weights = classWeights && functions.take(weightsOf(where, classWeights, classes), index);
  return { terms: weights ? terms.mul(weights) : terms, shape: targets.shape };
});

const focalRecord = lossOptions("focal", "losses.focal", {
  /** How much what is well found counts less. */
  gamma: nonNegative.default(2),
  /** What positive targets count; negative ones count 1 − alpha. For targets of 0 and 1 alone. */
  alpha: probability.optional(),
});
export type FocalOptions = Given<typeof focalRecord>;

/**
 * −(1 − p)^γ · log p, p the probability of the target (Lin et al. 2017): of class numbers [...] int32 under logits [..., classes], or of 0 and 1 under logits of the targets'
 * shape. Torchvision's sigmoid_focal_loss has alpha 0.25 unless told otherwise, and sums.
 */
export const focal = lossOfTerms(focalRecord, (outputs, batch, { gamma, alpha }, where) => {
  const targets = targetsOf(where, batch);
  const binary = sameShape(outputs.shape, targets.shape);
  if (alpha !== undefined && !binary) {
    const problem = "targets are class numbers, of which none is positive";
    const got = `outputs of ${formatShape(outputs.shape)} and targets of ${formatShape(targets.shape)}`;
    refuse(ConfigError, `${where}.alpha`, problem, got, "targets of the outputs' shape");
  }
  const positive = binary ? functions.greater(targets, 0) : undefined;
  const lead = binary ? byTarget(targets, outputs, outputs.neg()) : leadOf(where, outputs, targets);
  // p = sigmoid(lead), so log(1 − p) = −softplus(lead) and −log p = softplus(−lead): no power and no difference of numbers near 1.
  const missed = functions.softplus(lead.neg());
  const terms = gamma === 0 ? missed : functions.exp(functions.softplus(lead).mul(-gamma)).mul(missed);
  const { shape } = targets;
  if (alpha === undefined || !positive) return { terms, shape };
  return { terms: terms.mul(functions.where(positive, functions.full([], alpha), 1 - alpha)), shape };
});

/** outputs[target] − log Σ e^outputs[c] over the other classes c: the logit of the target against the rest. [targets, 1]. */
function leadOf(where: string, outputs: Tensor, targets: Tensor): Tensor {
  if (outputs.shape[outputs.rank - 1] < 2) refuse(ShapeError, where, "one class alone", outputs, "two or more");
  const { rows, values } = pick(where, outputs, targets);
  const classes = rows.shape[1];
  const own = functions.oneHot(targets.reshape([targets.size]), classes, "bool");
  const others = functions.where(own, -Infinity, rows);
  const top = functions.stopGradient(functions.max(others, { axis: 1, keepDims: true }));
  const rest = functions.log(functions.sum(functions.exp(others.sub(top)), { axis: 1, keepDims: true }));
  return values.sub(top).sub(rest);
}

const klRecord = lossOptions("kl_divergence", "losses.klDivergence", {
  /** Whether targets are logarithms of probabilities too. */
  logTarget: flag.default(false),
});
export type KlDivergenceOptions = Given<typeof klRecord>;

/** Σ t·(log t − output) ÷ batch (Kullback & Leibler 1951; the mean is PyTorch's kl_div with `batchmean`); a target of 0 counts 0. outputs: [batch, ...], logarithms of probabilities; targets: the same shape. */
export const klDivergence = lossOf(klRecord, (outputs, batch, { logTarget, reduction }, where) => {
  const targets = targetsLike(where, outputs, batch);
  if (reduction === "mean" && outputs.shape[0] === 0)
    refuse(ShapeError, where, "nothing to reduce", outputs, "at least one sample");
  const none = functions.equal(targets, 0);
  const logs = logTarget ? targets : functions.log(functions.where(none, 1, targets));
  const weights = logTarget ? functions.exp(targets) : targets;
  const terms = weights.mul(logs.sub(outputs));
  const total = reduced(where, terms, batch, reduction === "mean" ? "sum" : reduction);
  return reduction === "mean" ? total.div(outputs.shape[0] ?? 1) : total;
});
