// Metrics that are means over samples.
import { callable, checkArguments, oneOf, options as optionsOf, signature, string } from "../../core/arguments.ts";
import { exp } from "../../core/real.ts";
import { cast, equal, stack, sum, tensor } from "../../tensor/functions.ts";
import type { Loss } from "../losses.ts";
import * as losses from "../losses.ts";
import { type Metric, predictions, ratio, targetsOf } from "./metric.ts";

const calls = {
  accuracy: signature("metrics.accuracy", {}),
  mean: signature("metrics.mean", {
    loss: callable,
    "name?": string,
    "options?": optionsOf<Pick<Metric, "mode">>({ "mode?": oneOf(["min", "max"]) }),
  }),
  perplexity: signature("metrics.perplexity", {}),
};

/** The share of samples whose class is the target. outputs: [..., classes] float32 and targets: [...] int32; or logits of the targets' shape. In [0, 1]. */
export function accuracy(): Metric {
  checkArguments(calls.accuracy, arguments);
  return {
    name: "accuracy",
    mode: "max",
    terms: (outputs, batch) => {
      const targets = targetsOf("accuracy", batch);
      const { predicted } = predictions("accuracy", outputs, targets);
      return stack([sum(cast(equal(predicted, cast(targets, "int32")), "float32")), tensor(targets.size)]);
    },
    value: ratio,
  };
}

const minimised: ReadonlySet<unknown> = new Set(Object.values(losses));

/**
 * A loss averaged over samples: the mean of the batches' values weighted by their sizes. `mode`: which values are better; less, of the losses of this library, and for any other function whoever chooses by it must say so.
 */
export function mean(loss: Loss, name = "loss", options: Pick<Metric, "mode"> = {}): Metric {
  checkArguments(calls.mean, arguments);
  const { mode = minimised.has(loss) ? "min" : undefined } = options;
  return {
    name,
    ...(mode && { mode }),
    terms: (outputs, batch) => {
      const count = outputs.shape[0] ?? 1;
      return stack([loss(outputs, batch).mul(count), tensor(count)]);
    },
    value: ratio,
  };
}

/** e to the mean cross entropy over all targets. outputs: [..., classes] float32, targets: [...] int32. ≥ 1. */
export function perplexity(): Metric {
  checkArguments(calls.perplexity, arguments);
  return {
    name: "perplexity",
    mode: "min",
    terms: (outputs, batch) => {
      const { size } = targetsOf("perplexity", batch);
      return stack([losses.crossEntropy(outputs, batch).mul(size), tensor(size)]);
    },
    value: (totals) => exp(ratio(totals)),
  };
}
