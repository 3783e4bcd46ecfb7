// Loss functions as a Trainer takes them: from a model's outputs and the batch to a scalar, the mean over what there is to compare.
import { boolean, checkArguments, isRecord, kind, number, options as optionsOf, signature } from "../core/arguments.ts";
import { ConfigError, ShapeError, showValue } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { tensor } from "../tensor/arguments.ts";
import * as functions from "../tensor/functions.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Batch } from "./module.ts";

/** outputs, batch → [] float32. */
export type Loss = (outputs: Tensor, batch: Batch) => Tensor;

const targetsOrBatch = kind(
  "a tensor of targets, or a batch that has one",
  (value) => value instanceof Tensor || isRecord(value),
);
const given = { outputs: tensor, batch: targetsOrBatch };
const reduction = "a loss is a mean, and has no other reduction or weights: write it with ops";
const calls = {
  crossEntropy: signature("losses.crossEntropy", {
    ...given,
    "options?": optionsOf<CrossEntropyOptions>({ "labelSmoothing?": number }),
  }),
  nll: signature("losses.nll", given, reduction),
  binaryCrossEntropy: signature("losses.binaryCrossEntropy", {
    ...given,
    "options?": optionsOf<BinaryCrossEntropyOptions>({ "positiveWeight?": number }),
  }),
  mse: signature("losses.mse", given, reduction),
  l1: signature("losses.l1", given, reduction),
  smoothL1: signature("losses.smoothL1", { ...given, "options?": optionsOf<SmoothL1Options>({ "beta?": number }) }),
  huber: signature("losses.huber", { ...given, "options?": optionsOf<HuberOptions>({ "delta?": number }) }),
  klDivergence: signature("losses.klDivergence", {
    ...given,
    "options?": optionsOf<KlDivergenceOptions>({ "logTarget?": boolean }),
  }),
};

function targetsOf(where: string, batch: Batch | Tensor): Tensor {
  const targets = batch instanceof Tensor ? batch : batch.targets;
  if (targets && !(targets instanceof Tensor)) {
    throw new ConfigError({
      where: `losses.${where}`,
      problem: "the batch's targets aren't a tensor",
      got: showValue(targets),
      expected: "a tensor",
    });
  }
  if (!targets) {
    throw new ConfigError({
      where: `losses.${where}`,
      problem: "the batch has no targets",
      got: Object.keys(batch).join(", "),
      expected: "a tensor named targets",
      hint: "write loss: (outputs, batch) => … for batches of other names",
    });
  }
  return targets;
}

/** Targets of the outputs' shape, as float32. */
function likeOutputs(where: string, outputs: Tensor, batch: Batch | Tensor): Tensor {
  const targets = targetsOf(where, batch);
  if (sameShape(outputs.shape, targets.shape)) return functions.cast(targets, "float32");
  throw new ShapeError({
    where: `losses.${where}`,
    problem: "a target for each output",
    got: `${formatShape(outputs.shape)} and ${formatShape(targets.shape)}`,
    expected: "one shape",
    hint: "reshape one of them, as in targets.reshape(outputs.shape)",
  });
}

/** A factor ≥ 0 or > 0 among a loss's options. */
function checkNumber(where: string, value: number, holds: boolean, expected: string): void {
  if (!holds)
    throw new ConfigError({ where: `losses.${where}`, problem: "out of range", got: String(value), expected });
}

export interface CrossEntropyOptions {
  /** The part of each target that is spread evenly over all classes, in [0, 1]; default 0. */
  readonly labelSmoothing?: number;
}

/**
 * Mean of −log softmax(outputs)[target]; with label smoothing ε (1 − ε) of it and ε of the mean of −log softmax(outputs) over classes (Szegedy et al. 2016). outputs: [...,
 * classes] float32, targets: [...] int32, given alone or as `batch.targets`.
 */
export function crossEntropy(outputs: Tensor, batch: Batch | Tensor, options: CrossEntropyOptions = {}): Tensor {
  checkArguments(calls.crossEntropy, arguments);
  const { labelSmoothing = 0 } = options;
  const within = labelSmoothing >= 0 && labelSmoothing <= 1;
  checkNumber("crossEntropy.labelSmoothing", labelSmoothing, within, "a number in [0, 1]");
  const hard = functions.crossEntropy(outputs, targetsOf("crossEntropy", batch));
  if (labelSmoothing === 0) return hard;
  const even = functions.mean(functions.logSoftmax(outputs));
  return hard.mul(1 - labelSmoothing).sub(even.mul(labelSmoothing));
}

/** Mean of −outputs[target]. outputs: [..., classes] float32, logarithms of probabilities; targets: [...] int32. */
export function nll(outputs: Tensor, batch: Batch | Tensor): Tensor {
  checkArguments(calls.nll, arguments);
  const targets = targetsOf("nll", batch);
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
}

export interface BinaryCrossEntropyOptions {
  /** The weight of positive targets, > 0; default 1. */
  readonly positiveWeight?: number;
}

/** Mean of t·w·softplus(−x) + (1 − t)·softplus(x), which is −log of the probability of target t under the logit x. outputs, targets: one shape; targets in [0, 1], of any dtype. */
export function binaryCrossEntropy(
  outputs: Tensor,
  batch: Batch | Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  checkArguments(calls.binaryCrossEntropy, arguments);
  const { positiveWeight = 1 } = options;
  const positive = positiveWeight > 0 && positiveWeight < Infinity;
  checkNumber("binaryCrossEntropy.positiveWeight", positiveWeight, positive, "a number > 0");
  const targets = likeOutputs("binaryCrossEntropy", outputs, batch);
  const missed = targets.mul(functions.softplus(outputs.neg()));
  const raised = functions.sub(1, targets).mul(functions.softplus(outputs));
  return functions.mean((positiveWeight === 1 ? missed : missed.mul(positiveWeight)).add(raised));
}

/** Mean of (output − target)²; targets of the outputs' shape, given alone or as `batch.targets`. */
export function mse(outputs: Tensor, batch: Batch | Tensor): Tensor {
  checkArguments(calls.mse, arguments);
  return functions.mse(outputs, targetsOf("mse", batch));
}

/** Mean of |output − target|; targets of the outputs' shape, given alone or as `batch.targets`. */
export function l1(outputs: Tensor, batch: Batch | Tensor): Tensor {
  checkArguments(calls.l1, arguments);
  return functions.mean(outputs.sub(likeOutputs("l1", outputs, batch)).abs());
}

export interface SmoothL1Options {
  /** Where the square becomes a line, > 0; default 1. */
  readonly beta?: number;
}

/** Mean of ½·d² ÷ β where |d| < β, else |d| − ½·β (Girshick 2015), d = output − target; β > 0, default 1. */
export function smoothL1(outputs: Tensor, batch: Batch | Tensor, options: SmoothL1Options = {}): Tensor {
  checkArguments(calls.smoothL1, arguments);
  const { beta = 1 } = options;
  checkNumber("smoothL1.beta", beta, beta > 0 && beta < Infinity, "a number > 0");
  const size = outputs.sub(likeOutputs("smoothL1", outputs, batch)).abs();
  const square = size.mul(size).mul(0.5).div(beta);
  return functions.mean(functions.where(functions.less(size, beta), square, size.sub(0.5 * beta)));
}

export interface HuberOptions {
  /** Where the square becomes a line, > 0; default 1. */
  readonly delta?: number;
}

/** Mean of ½·d² where |d| ≤ δ, else δ·(|d| − ½·δ) (Huber 1964), d = output − target; δ > 0, default 1. */
export function huber(outputs: Tensor, batch: Batch | Tensor, options: HuberOptions = {}): Tensor {
  checkArguments(calls.huber, arguments);
  const { delta = 1 } = options;
  checkNumber("huber.delta", delta, delta > 0 && delta < Infinity, "a number > 0");
  const size = outputs.sub(likeOutputs("huber", outputs, batch)).abs();
  const line = size.sub(0.5 * delta).mul(delta);
  return functions.mean(functions.where(functions.lessEqual(size, delta), size.mul(size).mul(0.5), line));
}

export interface KlDivergenceOptions {
  /** Whether targets are logarithms of probabilities too; default false. */
  readonly logTarget?: boolean;
}

/** Σ t·(log t − output) ÷ batch (Kullback & Leibler 1951; PyTorch's kl_div with `batchmean`); a target of 0 counts 0. outputs: [batch, ...], logarithms of probabilities; targets: the same shape. */
export function klDivergence(outputs: Tensor, batch: Batch | Tensor, options: KlDivergenceOptions = {}): Tensor {
  checkArguments(calls.klDivergence, arguments);
  const { logTarget = false } = options;
  const targets = likeOutputs("klDivergence", outputs, batch);
  const none = functions.equal(targets, 0);
  const logs = logTarget ? targets : functions.log(functions.where(none, 1, targets));
  const weights = logTarget ? functions.exp(targets) : targets;
  return functions.sum(weights.mul(logs.sub(outputs))).div(outputs.shape[0] ?? 1);
}
