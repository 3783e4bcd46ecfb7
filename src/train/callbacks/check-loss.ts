// Stops a run whose loss is no number any more.

import { configured } from "../../core/configured.ts";
import { TrainingError } from "../../core/errors.ts";
import { options } from "../../core/options.ts";
import type { Callback, StepResult } from "../contract.ts";

/** Throws TrainingError, naming the step, when the loss is NaN or infinite. */
export class CheckLoss extends configured(options("CheckLoss", {})) implements Callback {
  readonly changesTraining = false;

  onTrainStepEnd({ loss, step, learningRate }: StepResult): void {
    if (Number.isFinite(loss)) return;
    throw new TrainingError({
      where: `step ${step}`,
      problem: "the loss is not a finite number",
      got: String(loss),
      expected: "a finite loss",
      hint: `lower the learning rate (it was ${learningRate}), clip gradients (precision: { maxGradientNorm: 1 }), or look at the data; the last checkpoint is from before`,
    });
  }
}
