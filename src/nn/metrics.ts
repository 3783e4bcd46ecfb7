// Metrics: terms that a graph computes a batch, added up on the host over batches, and one number out of the totals.
import { argmax, cast, equal, stack, sum, tensor } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Loss } from "./losses.ts";
import type { Batch } from "./module.ts";

export interface Metric {
  readonly name: string;
  /** What adds up over batches: [k] float32, computed in the evaluation graph. */
  terms(outputs: Tensor, batch: Batch): Tensor;
  /** The metric from the terms' totals in float64. */
  value(totals: readonly number[]): number;
}

const ratio = ([part, whole]: readonly number[]) => part / whole;

/** The share of samples whose largest output is at the target. outputs: [..., classes], targets: [...] int32. In [0, 1]. */
export function accuracy(): Metric {
  return {
    name: "accuracy",
    terms: (outputs, { targets }) =>
      stack([sum(cast(equal(argmax(outputs, { axis: -1 }), targets), "float32")), tensor(targets.size)]),
    value: ratio,
  };
}

/** A loss averaged over samples: the mean of the batches' values weighted by their sizes. */
export function mean(loss: Loss, name = "loss"): Metric {
  return {
    name,
    terms: (outputs, batch) => {
      const count = outputs.shape[0] ?? 1;
      return stack([loss(outputs, batch).mul(count), tensor(count)]);
    },
    value: ratio,
  };
}
