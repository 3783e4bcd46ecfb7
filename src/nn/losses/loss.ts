// What a loss is: a function from a model's outputs and the batch to a scalar, unless its terms are asked for one by one; and how one is made of a record of its options.
import { checkArguments, isRecord, kind } from "../../core/arguments.ts";
import { ConfigError, refuse, ShapeError, showValue } from "../../core/errors.ts";
import { type Fields, type OptionRecord, options, type Read } from "../../core/options.ts";
import { type Shape, sameShape } from "../../core/shape.ts";
import { named, type OptionsArguments } from "../../core/things.ts";
import { inCall } from "../../graph/site.ts";
import { tensor } from "../../tensor/arguments.ts";
import { cast, greater, notEqual, where } from "../../tensor/families/basic.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Batch, Reads } from "../module.ts";
import { type Reducing, reduced, reductionFields } from "./reduction.ts";

/** The record of the options of the loss that a config calls `name` (smooth_l1) and code `where` (losses.smoothL1). */
// @__NO_SIDE_EFFECTS__
export const lossOptions = <const S extends Fields>(name: string, where: string, fields: S) =>
  options(name, where, { ...fields, ...reductionFields });

/** outputs, batch → [] float32. */
export type Loss = { loss(outputs: Tensor, batch: Batch): Tensor }["loss"];

/** What one is computed from: outputs, a batch with `targets` or these alone, and options; `where`: what errors call it. */
type Computation<S extends Fields, Compared, Result> = (
  outputs: Tensor,
  compared: Compared,
  options: Read<OptionRecord<S>>,
  where: string,
) => Result;
/** A loss as a program calls it, with targets, or with what it reads of a batch. */
export type Call<S extends Fields, Compared = Reads<"sampleWeights">> = (
  outputs: Tensor,
  batch: Compared | Tensor,
  ...options: OptionsArguments<OptionRecord<S>>
) => Tensor;

const given = {
  outputs: tensor,
  batch: kind("a tensor of targets, or a batch that has one", (value) => value instanceof Tensor || isRecord(value)),
};
const byName =
  'a reduction goes by name: { reduction: "sum" }; weights of samples are the batch\'s: { targets, sampleWeights }';

/** A loss of a record of options: arguments are checked by it, and `value` has them with their defaults. A config's loss has its options bound. */
// @__NO_SIDE_EFFECTS__
export function lossOf<S extends Fields>(
  record: OptionRecord<S>,
  value: Computation<S, Batch | Tensor, Tensor>,
): Call<S> {
  const { where } = record;
  const call = record.call(given, byName);
  const bound =
    (options: Read<OptionRecord<S>>) =>
    (outputs: Tensor, batch: Batch | Tensor): Tensor =>
      inCall(where, () => value(outputs, batch, options, where));
  function loss(outputs: Tensor, batch: Batch | Tensor, options?: object): Tensor {
    checkArguments(call, arguments);
    return bound(record.fill(options))(outputs, batch);
  }
  Object.defineProperty(loss, "name", { value: where.slice("losses.".length) });
  return named(record, loss, bound) as Call<S>;
}

/** What is compared, one by one: terms, or terms in another shape than `shape`, which is theirs. */
type Terms = Tensor | { readonly terms: Tensor; readonly shape: Shape };

/** A loss of terms, which are reduced as its options say. */
// @__NO_SIDE_EFFECTS__
export function lossOfTerms<S extends Fields>(
  record: OptionRecord<S>,
  termsOf: Computation<S, Batch | Tensor, Terms>,
): Call<S> {
  return lossOf(record, (outputs, batch, options, where) => {
    const found = termsOf(outputs, batch, options, where);
    const { terms, shape } = found instanceof Tensor ? { terms: found, shape: found.shape } : found;
    const { reduction } = options as unknown as Reducing;
    return reduced(where, terms, batch, reduction, { shape });
  });
}

/** A loss of a term for each output and its target, which comes as float32. Its calls throw ShapeError for targets of another shape than the outputs'. */
// @__NO_SIDE_EFFECTS__
export function lossOfPairs<S extends Fields>(
  record: OptionRecord<S>,
  termsOf: Computation<S, Tensor, Tensor>,
): Call<S> {
  return lossOfTerms(record, (outputs, batch, options, where) =>
    termsOf(outputs, targetsLike(where, outputs, batch), options, where),
  );
}

/** The targets of a batch, or those given alone. Throws ConfigError where there are none. */
export function targetsOf(where: string, batch: Batch | Tensor): Tensor {
  const targets = batch instanceof Tensor ? batch : batch.targets;
  if (targets && !(targets instanceof Tensor))
    refuse(ConfigError, where, "the batch's targets aren't a tensor", showValue(targets), "a tensor");
  if (targets) return targets;
  const got = Object.keys(batch).join(", ");
  const hint = "a function of your own, (outputs, batch) => …, may read other names";
  refuse(ConfigError, where, "the batch has no targets", got, "a tensor named targets", hint);
}

/** `above` where a target is above 0, else `others`; NaN where it is NaN, which is no answer. */
export function byTarget(targets: Tensor, above: Tensor, others: Tensor): Tensor {
  const chosen = where(greater(targets, 0), above, others);
  return targets.dtype === "float32" ? where(notEqual(targets, targets), NaN, chosen) : chosen;
}

/** Throws ShapeError unless there is a target for each row of outputs: [..., classes] and [...]. */
export function checkRows(where: string, outputs: Tensor, targets: Tensor): void {
  if (outputs.rank > 0 && sameShape(outputs.shape.slice(0, -1), targets.shape)) return;
  const isSecond = sameShape([...outputs.shape.slice(0, 1), ...outputs.shape.slice(2)], targets.shape);
  const hint = isSecond ? "classes are the last axis here: outputs.moveAxis(1, -1)" : undefined;
  refuse(ShapeError, where, "a target for each row of outputs", [outputs, targets], "[..., classes] and [...]", hint);
}

/** Targets of the outputs' shape, as float32. Throws ShapeError for another shape. */
export function targetsLike(where: string, outputs: Tensor, batch: Batch | Tensor): Tensor {
  const targets = targetsOf(where, batch);
  if (sameShape(outputs.shape, targets.shape)) return cast(targets, "float32");
  const hint = "reshape one of them, as in targets.reshape(outputs.shape)";
  refuse(ShapeError, where, "a target for each prediction", [outputs, targets], "one shape", hint);
}
