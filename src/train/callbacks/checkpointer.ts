// Saves checkpoints as a run goes: every so many steps, at the beginning if asked, at the end always, and after a validation that is among
// the best. Comes last of all callbacks.
import { monitored } from "../../optim/monitored.ts";
import { bestCheckpoints, listCheckpoints } from "../../run/checkpoint.ts";
import { checkpointFolder, saveCheckpoint } from "../checkpoint.ts";
import type { ResolvedOptions } from "../config/options.ts";
import type { Callback, FitContext, Metrics, StepResult } from "../hooks.ts";
import type { Trainer } from "../trainer.ts";

export class Checkpointer implements Callback {
  readonly #options: NonNullable<ResolvedOptions["checkpoint"]>;

  constructor(options: NonNullable<ResolvedOptions["checkpoint"]>) {
    this.#options = options;
  }

  async onTrainStart({ trainer }: FitContext): Promise<void> {
    if (this.#options.saveInitialCheckpoint && trainer.step === 0) await saveCheckpoint(trainer);
  }

  async onTrainBatchEnd({ trainer, step, totalSteps, validated: metrics }: StepResult): Promise<void> {
    const { steps } = this.#options;
    const ends = step === totalSteps || trainer.progress.stopped !== undefined;
    const due = ends || (steps !== undefined && step % steps === 0);
    const best = metrics !== undefined && this.#isBest(trainer, step, metrics);
    if (due || best) await saveCheckpoint(trainer, undefined, { metrics, best: best && !due });
  }

  /** Whether a step's validation is among the best so far. */
  #isBest(trainer: Trainer, step: number, metrics: Metrics): boolean {
    const { keepBest } = trainer;
    if (!keepBest) return false;
    monitored("checkpoint.keepBest.metric", keepBest.metric, metrics);
    const saved = listCheckpoints(checkpointFolder(trainer)!).filter((entry) => entry.step !== step);
    return bestCheckpoints([...saved, { file: "", step, metrics }], keepBest).some((entry) => entry.step === step);
  }
}
