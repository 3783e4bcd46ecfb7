// Losses of yes and no: a logit or score for each target, which is 1 or 0.
import { refuse, ShapeError } from "../../core/errors.ts";
import { either, finite, type Given, list, positive } from "../../core/options.ts";
import { tensor } from "../../tensor/creation.ts";
import * as functions from "../../tensor/families/basic.ts";
import { byTarget, lossOfPairs, lossOptions } from "./loss.ts";

const binaryRecord = lossOptions("binary_cross_entropy", "losses.binaryCrossEntropy", {
  /** The weight of positive targets; a list has one for each place of the last axis. */
  positiveWeight: either(positive, list(positive, 1), "a number > 0, or a list of such").default(1),
});
export type BinaryCrossEntropyOptions = Given<typeof binaryRecord>;

/** t·w·softplus(−x) + (1 − t)·softplus(x), which is −log of the probability of target t under the logit x: PyTorch's with logits. outputs, targets: one shape; targets in [0, 1], of any dtype. */
export const binaryCrossEntropy = lossOfPairs(binaryRecord, (outputs, targets, { positiveWeight }, where) => {
  const missed = targets.mul(functions.softplus(outputs.neg()));
  const raised = functions.sub(1, targets).mul(functions.softplus(outputs));
  const weights = typeof positiveWeight === "number" ? positiveWeight : tensor(positiveWeight);
  const places = outputs.shape[outputs.rank - 1];
  if (typeof weights !== "number" && weights.size !== places) {
    const [problem, expected] = ["not a weight for each place of the last axis", "a number, for outputs of no axis"];
    refuse(ShapeError, `${where}.positiveWeight`, problem, weights.size, String(places ?? expected));
  }
  return (weights === 1 ? missed : missed.mul(weights)).add(raised);
});

const hingeRecord = lossOptions("hinge", "losses.hinge", {
  /** How far on its side a score must be. */
  margin: finite.default(1),
});
export type HingeOptions = Given<typeof hingeRecord>;

/** max(0, margin − y·x), y = 1 where the target is > 0 and −1 elsewhere, so that targets may be 0 and 1 or −1 and 1 (Cortes & Vapnik 1995; Keras's Hinge). outputs, targets: one shape. */
export const hinge = lossOfPairs(hingeRecord, (outputs, targets, { margin }) => {
  const side = byTarget(targets, outputs, outputs.neg());
  return functions.maximum(functions.sub(margin, side), 0);
});
