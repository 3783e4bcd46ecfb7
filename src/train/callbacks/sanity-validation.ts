// A few batches of validation before the first step, so that what is wrong with it shows at once and not after an epoch.
import { checkArguments, number, options as optionsOf, signature } from "../../core/arguments.ts";
import type { Callback, FitContext } from "../contract.ts";
import { checkCount } from "./check.ts";

export interface SanityValidationOptions {
  /** Batches; 2 by default. */
  readonly steps?: number;
}

const call = signature("SanityValidation", { "options?": optionsOf<SanityValidationOptions>({ "steps?": number }) });

/** Validates on a few batches before training. Nothing of it is logged, no other callback is told, and nothing moves. */
export class SanityValidation implements Callback {
  readonly name = "SanityValidation";
  readonly changesTraining = false;
  readonly #steps: number;

  constructor(options: SanityValidationOptions = {}) {
    checkArguments(call, arguments);
    const { steps = 2 } = options;
    checkCount("SanityValidation.steps", steps, "batches");
    this.#steps = steps;
  }

  async onTrainStart({ trainer, validations }: FitContext): Promise<void> {
    if (validations.length > 0 && trainer.step === 0)
      await trainer.evaluate(validations, { steps: this.#steps, silent: true });
  }
}
