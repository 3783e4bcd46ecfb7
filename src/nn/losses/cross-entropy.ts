// Cross-entropy, and the loss of logarithms of probabilities.
import { ConfigError, DTypeError, refuse, ShapeError } from "../../core/errors.ts";
import { type Given, list, nonNegative, numberOf, probability } from "../../core/options.ts";
import { sameShape } from "../../core/shape.ts";
import { tensor } from "../../tensor/creation.ts";
import * as functions from "../../tensor/families/basic.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { checkRows, lossOf, lossOptions, targetsOf } from "./loss.ts";
import { countedBy, type Reducing, reduced } from "./reduction.ts";

export const weightFields = {
  /** What a target of each class counts, in the order of classes; a mean is divided by the sum of its targets' weights. */
  classWeights: list(nonNegative, 1, "a weight for each class").optional(),
} as const;
export const ignoredFields = {
  /** Targets of this number count nothing, as PyTorch's −100; a mean is over the others. */
  ignoreIndex: numberOf("an integer", { integer: true }).optional(),
} as const;
const classFields = { ...weightFields, ...ignoredFields } as const;

const crossEntropyRecord = lossOptions("cross_entropy", "losses.crossEntropy", {
  /** The part of each target that is spread evenly over all classes. */
  labelSmoothing: probability.default(0),
  ...classFields,
});
export type CrossEntropyOptions = Given<typeof crossEntropyRecord>;

/** The weights as a tensor: [classes]. Throws ShapeError for another number of them. */
export function weightsOf(where: string, weights: readonly number[], classes: number): Tensor {
  if (weights.length === classes) return tensor(weights);
  refuse(ShapeError, `${where}.classWeights`, "not a weight for each class", weights.length, String(classes));
}

type Picking = Partial<Reducing> & { readonly classWeights?: readonly number[]; readonly ignoreIndex?: number };

/** Rows [targets, classes] of outputs, or what `rowsOf` makes of them, and what targets name of them, [targets, 1] each: `index` and `values`. Throws ShapeError unless there is a target for each row, DTypeError for targets that aren't int32. */
export function pick(
  where: string,
  outputs: Tensor,
  targets: Tensor,
  { classWeights, ignoreIndex, reduction }: Picking = {},
  rowsOf = (rows: Tensor): Tensor => rows,
) {
  checkRows(where, outputs, targets);
  const rows = rowsOf(outputs.reshape([targets.size, outputs.shape[outputs.rank - 1]]));
  if (targets.dtype !== "int32") {
    const hint = 'cast(targets, "int32"), or give probabilities of the outputs\' shape to crossEntropy';
    refuse(DTypeError, where, "targets aren't class numbers", targets.dtype, "int32", hint);
  }
  const column = [targets.size, 1];
  const kept = ignoreIndex === undefined ? undefined : functions.notEqual(targets, ignoreIndex).reshape(column);
  const index = kept ? functions.where(kept, targets.reshape(column), 0) : targets.reshape(column);
  /** Zeroes what belongs to ignored targets. */
  const masked = (values: Tensor) => (kept ? functions.where(kept, values, 0) : values);
  const values = masked(rows.gather(index, 1));
  const weights = classWeights && functions.take(weightsOf(where, classWeights, rows.shape[1]), index);
  const each = weights ? masked(weights) : kept && functions.cast(kept, "float32");
  /** What all targets count together, where a mean is over that. */
  const whole = reduction === "mean" && each ? functions.sum(each) : undefined;
  return { rows, index, values: weights ? values.mul(weights) : values, whole, masked };
}

/**
 * −log softmax(outputs)[target]; with label smoothing ε (1 − ε) of it and ε of the mean of −log softmax(outputs) over classes (Szegedy et al. 2016). outputs: [...,
 * classes] float32, targets: [...] int32, given alone or as `batch.targets`; or probabilities, [..., classes] float32: −Σ target · log softmax(outputs). Weights, ignored
 * targets and reductions as PyTorch's.
 */
export const crossEntropy = lossOf(crossEntropyRecord, (outputs, batch, given, where) => {
  const { labelSmoothing, classWeights, ignoreIndex, reduction } = given;
  const targets = targetsOf(where, batch);
  const classes = outputs.shape[outputs.rank - 1];
  const soft = targets.dtype === "float32" && sameShape(targets.shape, outputs.shape);
  if (soft && ignoreIndex !== undefined) {
    const problem = "targets are probabilities, of which none is ignored";
    refuse(ConfigError, `${where}.ignoreIndex`, problem, undefined, "targets of class numbers, int32");
  }
  const scaled = (logs: Tensor) => (classWeights ? logs.mul(weightsOf(where, classWeights, classes)) : logs);
  const picked = soft ? undefined : pick(where, outputs, targets, given, functions.logSoftmax);
  const terms = picked ? picked.values : functions.sum(targets.mul(scaled(functions.logSoftmax(outputs))), -1);
  const how = { shape: outputs.shape.slice(0, -1), whole: picked?.whole };
  const hard = reduced(where, terms, batch, reduction, how).neg();
  if (labelSmoothing === 0) return countedBy(how.whole, hard);
  const logs = functions.logSoftmax(outputs);
  // Where all terms count alike one mean over all of them is enough.
  const alike =
    reduction === "mean" && !how.whole && !classWeights && (batch instanceof Tensor || !batch.sampleWeights);
  const spread = () => {
    const each = functions.mean(scaled(logs), -1);
    return reduced(where, picked ? picked.masked(each.reshape([targets.size, 1])) : each, batch, reduction, how);
  };
  const even = alike ? functions.mean(logs) : spread();
  return countedBy(how.whole, hard.mul(1 - labelSmoothing).sub(even.mul(labelSmoothing)));
});

const nllRecord = lossOptions("nll", "losses.nll", classFields);
export type NllOptions = Given<typeof nllRecord>;

/** −outputs[target]. outputs: [..., classes] float32, logarithms of probabilities; targets: [...] int32. Weights, ignored targets and reductions as PyTorch's. */
export const nll = lossOf(nllRecord, (outputs, batch, given, where) => {
  const targets = targetsOf(where, batch);
  const { values, whole } = pick(where, outputs, targets, given);
  return countedBy(whole, reduced(where, values, batch, given.reduction, { shape: targets.shape, whole }).neg());
});
