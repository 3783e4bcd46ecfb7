// A few batches of validation before the first step, so that what is wrong with it shows at once and not after an epoch.

import { configured } from "../../core/configured.ts";
import { countOf, type Given, options } from "../../core/options.ts";
import type { Callback, FitContext } from "../contract.ts";

const record = options("SanityValidation", {
  /** Batches. */
  steps: countOf("batches").default(2),
});
export type SanityValidationOptions = Given<typeof record>;

/** Validates on a few batches before training. Nothing of it is logged, no other callback is told, and nothing moves. */
export class SanityValidation extends configured(record) implements Callback {
  readonly changesTraining = false;

  async onTrainStart({ trainer, validations }: FitContext): Promise<void> {
    if (validations.length > 0 && trainer.step === 0)
      await trainer.evaluate(validations, { steps: this.options.steps, silent: true });
  }
}
