// The loss of a sequence of labels that aren't aligned with the times of the outputs: −log of the sum over all alignments.
import { ConfigError, DTypeError, refuse, ShapeError } from "../../core/errors.ts";
import { flag, type Given, numberOf } from "../../core/options.ts";
import { pad } from "../../tensor/families/arrays.ts";
import * as functions from "../../tensor/families/basic.ts";
import { scan } from "../../tensor/scan.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Batch, Reads } from "../module.ts";
import { type Call, lossOfTerms, lossOptions, targetsOf } from "./loss.ts";

const record = lossOptions("ctc", "losses.ctc", {
  /** The class that stands for no label. */
  blank: numberOf("an integer ≥ 0", { integer: true, least: 0 }).default(0),
  /** Whether a sequence whose labels don't fit into its time counts 0 instead of Infinity. */
  zeroInfinity: flag.default(false),
});
export type CtcOptions = Given<typeof record>;

/** The logarithm of what can't be: finite, so that differences of two of them are no NaN. */
const never = -1e30;

/** Two states before the first. */
const ahead = [
  [0, 0],
  [2, 0],
] as const;

/** The batch's lengths by name: [batch] int32, all of them `most` where there are none. One beyond 0 … most is an error when run. Throws ConfigError, ShapeError, DTypeError. */
function lengthsOf(name: "inputLengths" | "targetLengths", batch: Batch | Tensor, count: number, most: number): Tensor {
  const lengths = batch instanceof Tensor ? undefined : batch[name];
  const where = `${record.where}.${name}`;
  if (lengths === undefined) return functions.full([count], most, "int32");
  if (!(lengths instanceof Tensor)) refuse(ConfigError, where, "lengths aren't a tensor", typeof lengths, "a tensor");
  if (lengths.rank !== 1 || lengths.shape[0] !== count)
    refuse(ShapeError, where, "not a length for each sample", lengths, `[${count}]`);
  if (lengths.dtype !== "int32") refuse(DTypeError, where, "lengths aren't integers", lengths.dtype, "int32");
  // Read from a table of all there may be: an index that it hasn't is refused.
  return functions.take(functions.arange(most + 1), lengths);
}

/** log(eᵃ + eᵇ + …), with the greatest taken out. */
function logAdd(...terms: Tensor[]): Tensor {
  const most = functions.stopGradient(terms.reduce((a, b) => functions.maximum(a, b)));
  const sum = terms.map((term) => functions.exp(term.sub(most))).reduce((a, b) => a.add(b));
  return functions.log(sum).add(most);
}

/**
 * −log of the probability that the outputs spell the targets, over all alignments: at each time a class, of which repeats are merged and blanks then left out (Graves
 * et al. 2006; PyTorch's ctc_loss, batch first). outputs: [batch, time, classes] float32, logits or log-probabilities, which log softmax leaves as they are; targets:
 * [batch, labels] int32, what is behind a sample's length is padding; `batch.inputLengths` and `batch.targetLengths`: [batch] int32, all of time and of labels
 * where left out. A mean is over samples, each first divided by its target length (by 1 where that is 0), as PyTorch's. A sequence whose labels don't fit
 * into its time has the loss Infinity and the gradient 0.
 */
export const ctc: Call<typeof record.fields, Reads<"inputLengths" | "targetLengths" | "sampleWeights">> = lossOfTerms(
  record,
  (outputs, batch, { blank, zeroInfinity, reduction }, where) => {
    const targets = targetsOf(where, batch);
    if (outputs.rank !== 3 || targets.rank !== 2 || targets.shape[0] !== outputs.shape[0]) {
      const expected = "[batch, time, classes] and [batch, labels]";
      const hint = "PyTorch's [time, batch, classes] are outputs.transpose([1, 0, 2])";
      refuse(ShapeError, where, "not sequences of scores, and of labels", [outputs, targets], expected, hint);
    }
    if (targets.dtype !== "int32") refuse(DTypeError, where, "targets aren't class numbers", targets.dtype, "int32");
    const [count, time, classes] = outputs.shape;
    if (blank >= classes)
      refuse(ConfigError, `${where}.blank`, "no such class", blank, `at most ${classes - 1}, of ${classes} classes`);
    const width = targets.shape[1];
    const inputLengths = lengthsOf("inputLengths", batch, count, time).reshape([count, 1]);
    const targetLengths = lengthsOf("targetLengths", batch, count, width).reshape([count, 1]);
    // The states: a blank before each label, and one behind the last.
    const labels = functions.where(functions.less(functions.arange(width), targetLengths), targets, blank);
    const between = functions.full([count, width], blank, "int32");
    const pairs = functions.stack([between, labels], -1).reshape([count, 2 * width]);
    const states = functions.concat([pairs, functions.full([count, 1], blank, "int32")], 1);
    const size = 2 * width + 1;
    // A label may follow another one at once, unless that is the same.
    const before = pad(states, ahead, blank).slice([null, [0, size]]);
    const skips = functions.notEqual(states, blank).logicalAnd(functions.notEqual(states, before));
    const each = states.reshape([count, 1, size]).broadcastTo([count, time, size]);
    const logs = functions.maximum(functions.logSoftmax(outputs).gather(each, 2), never);
    const here = functions.less(functions.arange(time), inputLengths);
    const begin = functions.where(functions.equal(functions.arange(size), 0), 0, functions.full([count, size], never));
    const [last] = scan(
      (now: Tensor, [log, counts]: readonly [Tensor, Tensor]): [Tensor, null] => {
        const padded = pad(now, ahead, never);
        const skipped = functions.where(skips, padded.slice([null, [0, size]]), never);
        const next = logAdd(now, padded.slice([null, [1, size + 1]]), skipped).add(log);
        return [functions.where(counts.reshape([count, 1]).broadcastTo(next.shape), next, now), null];
      },
      begin,
      [logs, here],
      { axis: 1 },
    );
    const end = targetLengths.mul(2);
    const inLabel = last.gather(functions.maximum(end.sub(1), 0), 1);
    const hasLabels = functions.greater(targetLengths, 0);
    const found = logAdd(last.gather(end, 1), functions.where(hasLabels, inLabel, never))
      .neg()
      .reshape([count]);
    const isLost = functions.greater(found, -never / 2);
    const loss = functions.where(isLost, zeroInfinity ? 0 : Infinity, found);
    const parts = functions.cast(functions.maximum(targetLengths, 1).reshape([count]), "float32");
    return reduction === "mean" ? loss.div(parts) : loss;
  },
);
