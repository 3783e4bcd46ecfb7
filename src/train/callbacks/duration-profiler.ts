// Where the time of a fit goes, and how much of it is left.

import { configured } from "../../core/configured.ts";
import { options } from "../../core/options.ts";
import { now } from "../../runtime/clock.ts";
import type { Callback, FitContext, StepResult, TrainerView } from "../contract.ts";

const parts = ["data", "train", "validate", "checkpoint"] as const;
type Part = (typeof parts)[number];

/** Logs `duration/data` (waiting for batches), `duration/train`, `duration/validate`, `duration/checkpoint` and `duration/left` in seconds; at the end a line says it all. */
export class DurationProfiler extends configured(options("DurationProfiler", {})) implements Callback {
  readonly changesTraining = false;
  #seconds: Record<Part, number> = { data: 0, train: 0, validate: 0, checkpoint: 0 };
  #part: Part = "data";
  #since = 0;
  #firstStep = 0;

  #enter(part: Part): void {
    const at = now();
    this.#seconds[this.#part] += at - this.#since;
    this.#since = at;
    this.#part = part;
  }

  onTrainStart({ trainer }: FitContext): void {
    this.#seconds = { data: 0, train: 0, validate: 0, checkpoint: 0 };
    this.#part = "data";
    this.#since = now();
    this.#firstStep = trainer.step;
  }

  onTrainBatchStart(): void {
    this.#enter("train");
  }

  async onTrainStepEnd({ trainer, step, totalSteps, logged }: StepResult): Promise<void> {
    if (!logged) return;
    this.#enter("train");
    const spent = parts.reduce((sum, part) => sum + this.#seconds[part], 0);
    const left = (spent / (step - this.#firstStep)) * (totalSteps - step);
    const metrics = parts.map((part) => [`duration/${part}`, this.#seconds[part]]);
    await trainer.logMetrics({ ...Object.fromEntries(metrics), "duration/left": left }, step);
  }

  onTrainBatchEnd(): void {
    this.#enter("data");
  }

  onValidateStart(): void {
    this.#enter("validate");
  }

  onValidateEnd(): void {
    this.#enter("train");
  }

  onSaveCheckpoint(): void {
    this.#enter("checkpoint");
  }

  onAfterSaveCheckpoint(): void {
    this.#enter("data");
  }

  onTrainEnd({ trainer }: { trainer: TrainerView }): void {
    this.#enter("data");
    const text = parts.map((part) => `${part} ${this.#seconds[part].toFixed(2)} s`).join(", ");
    trainer.message("info", `time: ${text}`);
  }
}
