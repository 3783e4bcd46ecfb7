// Loss functions as a Trainer takes them: from a model's outputs and the batch to a scalar.
import { ConfigError } from "../core/errors.ts";
import * as functions from "../tensor/functions.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Batch } from "./module.ts";

/** outputs, batch → [] float32. */
export type Loss = (outputs: Tensor, batch: Batch) => Tensor;

function targetsOf(where: string, batch: Batch | Tensor): Tensor {
  const targets = batch instanceof Tensor ? batch : batch.targets;
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

/** Mean of −log softmax(outputs)[target]. outputs: [..., classes] float32, targets: [...] int32, given alone or as `batch.targets`. */
export function crossEntropy(outputs: Tensor, batch: Batch | Tensor): Tensor {
  return functions.crossEntropy(outputs, targetsOf("crossEntropy", batch));
}

/** Mean of (output − target)²; targets of the outputs' shape, given alone or as `batch.targets`. */
export function mse(outputs: Tensor, batch: Batch | Tensor): Tensor {
  return functions.mse(outputs, targetsOf("mse", batch));
}
