// Losses of yes and no: a logit or score for each target, which is 1 or 0.
import { ShapeError } from "../../core/errors.ts";
import { either, finite, type Given, list, options, positive } from "../../core/options.ts";
import { tensor } from "../../tensor/creation.ts";
import * as functions from "../../tensor/families/basic.ts";
import { lossOf, targetsLike } from "./loss.ts";
import { reduced, reductionFields } from "./reduction.ts";

const binaryRecord = options("binary_cross_entropy", "losses.binaryCrossEntropy", {
  /** The weight of positive targets; a list has one for each place of the last axis. */
  positiveWeight: either(positive, list(positive, 1), "a number > 0, or a list of such").default(1),
  ...reductionFields,
});
export type BinaryCrossEntropyOptions = Given<typeof binaryRecord>;

/** t·w·softplus(−x) + (1 − t)·softplus(x), which is −log of the probability of target t under the logit x: PyTorch's with logits. outputs, targets: one shape; targets in [0, 1], of any dtype. */
export const binaryCrossEntropy = lossOf(binaryRecord, (outputs, batch, { positiveWeight, reduction }) => {
  const { where } = binaryRecord;
  const targets = targetsLike(where, outputs, batch);
  const missed = targets.mul(functions.softplus(outputs.neg()));
  const raised = functions.sub(1, targets).mul(functions.softplus(outputs));
  const weights = typeof positiveWeight === "number" ? positiveWeight : tensor(positiveWeight);
  if (typeof weights !== "number" && weights.size !== outputs.shape[outputs.rank - 1])
    throw new ShapeError({
      where: `${where}.positiveWeight`,
      problem: "not a weight for each place of the last axis",
      got: String(weights.size),
      expected: String(outputs.shape[outputs.rank - 1]),
    });
  return reduced(where, (weights === 1 ? missed : missed.mul(weights)).add(raised), batch, reduction);
});

const hingeRecord = options("hinge", "losses.hinge", {
  /** How far on its side a score must be. */
  margin: finite.default(1),
  ...reductionFields,
});
export type HingeOptions = Given<typeof hingeRecord>;

/** max(0, margin − y·x), y = 1 where the target is > 0 and −1 elsewhere, so that targets may be 0 and 1 or −1 and 1 (Cortes & Vapnik 1995; Keras's Hinge). outputs, targets: one shape. */
export const hinge = lossOf(hingeRecord, (outputs, batch, { margin, reduction }) => {
  const positives = functions.greater(targetsLike(hingeRecord.where, outputs, batch), 0);
  const side = functions.where(positives, outputs, outputs.neg());
  return reduced(hingeRecord.where, functions.maximum(functions.sub(margin, side), 0), batch, reduction);
});
