// Metrics that are means over samples.
import { callable, checkArguments, signature, string } from "../../core/arguments.ts";
import { options, part, word } from "../../core/options.ts";
import { exp } from "../../core/real.ts";
import { named } from "../../core/things.ts";
import { cast, equal, sum } from "../../tensor/families/basic.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Loss } from "../losses.ts";
import * as losses from "../losses.ts";
import type { Batch } from "../module.ts";
import { classMetricOf, countedTargets, type Metric, predictions, ratio, share } from "./metric.ts";
import { meanTerms } from "./totals.ts";

/** The share of samples whose class is the target. outputs: [..., classes] float32 and targets: [...] int32; or logits of the targets' shape. In [0, 1]. */
export const accuracy = classMetricOf("accuracy", (where, given) =>
  share("max", (outputs, batch) => {
    const { targets, counts } = countedTargets(where, batch, given);
    const { predicted } = predictions(where, outputs, targets);
    const right = cast(equal(predicted, cast(targets, "int32")), "float32");
    return counts ? [sum(right.mul(counts)), sum(counts)] : [sum(right), targets.size];
  }),
);

const minimised: ReadonlySet<unknown> = new Set(Object.values(losses));

const meanCall = signature("metrics.mean", {
  loss: callable,
  "name?": string,
  "options?": options("metrics.mean", { mode: word("min", "max").optional() }),
});
const meanRecord = options("mean", {
  /** What is averaged; its metric is `mean_<loss>`. */
  loss: part<Loss>("loss", callable),
});

/**
 * A loss averaged over samples: the mean of the batches' values weighted by their sizes, or by what counts of them (`ignoreIndex`, `classWeights`). `mode`: which values are better; less, of the losses of this library, and for any other function whoever chooses by it must say so.
 */
export const mean: (loss: Loss, name?: string, options?: Pick<Metric, "mode">) => Metric = named(
  meanRecord,
  function (loss: Loss, name = "loss", options: Pick<Metric, "mode"> = {}): Metric {
    checkArguments(meanCall, arguments);
    const { mode = minimised.has(loss) ? "min" : undefined } = options;
    const terms = (outputs: Tensor, batch: Batch) => meanTerms(loss(outputs, batch), outputs.shape[0] ?? 1);
    return { name, ...(mode && { mode }), terms, value: ratio };
  },
  ({ loss }, { loss: chosen }: { readonly loss: { readonly class: string } }) =>
    mean(loss, `mean_${chosen.class}`, { mode: "min" }),
);

/** What makes a metric of the mean cross entropy over all targets. */
const ofCrossEntropy = (name: string, value: (mean: number) => number) =>
  classMetricOf(name, (where, given) => {
    const parts = (outputs: Tensor, batch: Batch) => {
      const { targets, counts } = countedTargets(where, batch, given);
      if (counts) return [losses.crossEntropy(outputs, batch, { ...given, reduction: "sum" }), sum(counts)] as const;
      return [losses.crossEntropy(outputs, batch).mul(targets.size), targets.size] as const;
    };
    return share("min", parts, value);
  });

/** The mean cross entropy over all targets in bits: divided by ln 2. For a model of characters the length that it would code a text with. outputs: [..., classes] float32, targets: [...] int32. ≥ 0. */
export const bitsPerCharacter = ofCrossEntropy("bits_per_character", (mean) => mean / Math.LN2);

/** e to the mean cross entropy over all targets. outputs: [..., classes] float32, targets: [...] int32. ≥ 1. */
export const perplexity = ofCrossEntropy("perplexity", exp);
