// The logger of a training in a worker: it tells the page, and touches nothing.

import type { Sample } from "../report/samples.ts";
import { now } from "../runtime/clock.ts";
import type { Logger, StepResult } from "../train/contract.ts";
import type { MessageLevel, Metrics } from "../train/run.ts";
import type { TrainingEvent, TrainingProgress } from "./messages.ts";

/** Seconds between two reports of progress: steps may take less than a page can draw. */
const between = 0.05;

export class PageReporter implements Logger {
  readonly changesTraining = false;
  readonly #tell: (event: TrainingEvent) => void;
  #told = Number.NEGATIVE_INFINITY;

  constructor(tell: (event: TrainingEvent) => void) {
    this.#tell = tell;
  }

  onTrainBatchEnd({ trainer, step, totalSteps, epoch, loss, learningRate, seconds }: StepResult): void {
    if (now() - this.#told < between && step !== totalSteps) return;
    this.#told = now();
    const { position: draws } = trainer.stream;
    this.#progress({ step, totalSteps, epoch, loss, learningRate, stepSeconds: seconds, draws });
  }

  #progress(value: TrainingProgress): void {
    this.#tell({ type: "progress", value });
  }

  logMetrics(values: Metrics, step: number): void {
    this.#tell({ type: "metrics", value: { step, values } });
  }

  logSample(name: string, sample: Sample, step: number): void {
    this.#tell({ type: "sample", value: { step, name, sample } });
  }

  logMessage(level: MessageLevel, text: string): void {
    this.#tell({ type: "message", value: { level, text } });
  }
}
