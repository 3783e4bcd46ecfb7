// Losses of classes and of probabilities.
import { ShapeError } from "../../core/errors.ts";
import { flag, type Given, options, positive, probability } from "../../core/options.ts";
import { formatShape, sameShape } from "../../core/shape.ts";
import * as functions from "../../tensor/functions.ts";
import { lossOf, targetsLike, targetsOf } from "./loss.ts";

const crossEntropyRecord = options(
  "cross_entropy",
  {
    /** The part of each target that is spread evenly over all classes. */
    labelSmoothing: probability.default(0),
  },
  "losses.crossEntropy",
);
export type CrossEntropyOptions = Given<typeof crossEntropyRecord>;

/**
 * Mean of −log softmax(outputs)[target]; with label smoothing ε (1 − ε) of it and ε of the mean of −log softmax(outputs) over classes (Szegedy et al. 2016). outputs: [...,
 * classes] float32, targets: [...] int32, given alone or as `batch.targets`; or probabilities, [..., classes] float32: the mean of −Σ target · log softmax(outputs).
 */
export const crossEntropy = lossOf(crossEntropyRecord, (outputs, batch, { labelSmoothing }) => {
  const targets = targetsOf(crossEntropyRecord.where, batch);
  const hard =
    targets.dtype === "float32" && sameShape(targets.shape, outputs.shape)
      ? functions.mean(functions.sum(targets.mul(functions.logSoftmax(outputs)), -1)).neg()
      : functions.crossEntropy(outputs, targets);
  if (labelSmoothing === 0) return hard;
  const even = functions.mean(functions.logSoftmax(outputs));
  return hard.mul(1 - labelSmoothing).sub(even.mul(labelSmoothing));
});

/** Mean of −outputs[target]. outputs: [..., classes] float32, logarithms of probabilities; targets: [...] int32. */
export const nll = lossOf(options("nll", {}, "losses.nll"), (outputs, batch) => {
  const targets = targetsOf("losses.nll", batch);
  if (!sameShape(outputs.shape.slice(0, -1), targets.shape) || outputs.rank === 0) {
    throw new ShapeError({
      where: "losses.nll",
      problem: "a target for each row of outputs",
      got: `${formatShape(outputs.shape)} and ${formatShape(targets.shape)}`,
      expected: "[..., classes] and [...]",
    });
  }
  const classes = outputs.shape[outputs.rank - 1];
  const rows = outputs.reshape([targets.size, classes]);
  return functions.mean(rows.gather(targets.reshape([targets.size, 1]), 1)).neg();
});

const binaryRecord = options(
  "binary_cross_entropy",
  {
    /** The weight of positive targets. */
    positiveWeight: positive.default(1),
  },
  "losses.binaryCrossEntropy",
);
export type BinaryCrossEntropyOptions = Given<typeof binaryRecord>;

/** Mean of t·w·softplus(−x) + (1 − t)·softplus(x), which is −log of the probability of target t under the logit x. outputs, targets: one shape; targets in [0, 1], of any dtype. */
export const binaryCrossEntropy = lossOf(binaryRecord, (outputs, batch, { positiveWeight }) => {
  const targets = targetsLike(binaryRecord.where, outputs, batch);
  const missed = targets.mul(functions.softplus(outputs.neg()));
  const raised = functions.sub(1, targets).mul(functions.softplus(outputs));
  return functions.mean((positiveWeight === 1 ? missed : missed.mul(positiveWeight)).add(raised));
});

const klRecord = options(
  "kl_divergence",
  {
    /** Whether targets are logarithms of probabilities too. */
    logTarget: flag.default(false),
  },
  "losses.klDivergence",
);
export type KlDivergenceOptions = Given<typeof klRecord>;

/** Σ t·(log t − output) ÷ batch (Kullback & Leibler 1951; PyTorch's kl_div with `batchmean`); a target of 0 counts 0. outputs: [batch, ...], logarithms of probabilities; targets: the same shape. */
export const klDivergence = lossOf(klRecord, (outputs, batch, { logTarget }) => {
  const targets = targetsLike(klRecord.where, outputs, batch);
  const none = functions.equal(targets, 0);
  const logs = logTarget ? targets : functions.log(functions.where(none, 1, targets));
  const weights = logTarget ? functions.exp(targets) : targets;
  return functions.sum(weights.mul(logs.sub(outputs))).div(outputs.shape[0] ?? 1);
});
