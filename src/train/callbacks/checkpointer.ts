// Saves checkpoints as a run goes: every so many steps, at the beginning if asked, and at the end always. Comes last of all callbacks.
import { saveCheckpoint } from "../checkpoint.ts";
import type { ResolvedOptions } from "../config/options.ts";
import type { Callback, FitContext, StepResult } from "../hooks.ts";

export class Checkpointer implements Callback {
  readonly #options: NonNullable<ResolvedOptions["checkpoint"]>;

  constructor(options: NonNullable<ResolvedOptions["checkpoint"]>) {
    this.#options = options;
  }

  async onTrainStart({ trainer }: FitContext): Promise<void> {
    if (this.#options.saveInitialCheckpoint && trainer.step === 0) await saveCheckpoint(trainer);
  }

  async onTrainBatchEnd({ trainer, step, totalSteps }: StepResult): Promise<void> {
    const { steps } = this.#options;
    if ((steps !== undefined && step % steps === 0) || step === totalSteps || trainer.progress.stopped !== undefined)
      await saveCheckpoint(trainer);
  }
}
