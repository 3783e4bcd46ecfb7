// Progress for people: a bar on a terminal, plain lines elsewhere. It looks at the clock and at what the step gave, and at nothing else.

import { openProgressBar, type ProgressBar, writeLine } from "#terminal";
import { configured } from "../../core/configured.ts";
import { options } from "../../core/options.ts";
import { samplesOf } from "../../data/groups.ts";
import { durationText } from "../../report/duration.ts";
import { isConfusionCell } from "../../report/heatmap.ts";
import { now } from "../../runtime/clock.ts";
import type { FitContext, Logger, StepResult } from "../contract.ts";
import type { Metrics } from "../run.ts";

/** About so many plain lines a run. */
const plainLines = 20;

const number = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(4));

/** Shows step, loss, samples a second and time left; each validation as a line. */
export class ProgressLogger extends configured(options("ProgressLogger", {})) implements Logger {
  #bar: ProgressBar | undefined;
  #started = 0;
  #firstStep = 0;
  #samples = 0;

  async onTrainStart({ trainer, totalSteps }: FitContext): Promise<void> {
    this.#started = now();
    this.#firstStep = trainer.step;
    this.#samples = 0;
    this.#bar = await openProgressBar(
      totalSteps,
      trainer.step,
      "{bar} step {value}/{total} | epoch {epoch} | loss {loss} | {rate} samples/s | {left} left",
    );
  }

  onTrainBatchEnd({ step, totalSteps, epoch, loss, batch }: StepResult): void {
    this.#samples += samplesOf(batch);
    const elapsed = now() - this.#started;
    const rate = Math.round(this.#samples / elapsed);
    const left = durationText((elapsed / (step - this.#firstStep)) * (totalSteps - step));
    if (this.#bar) {
      this.#bar.update(step, { epoch: String(epoch + 1), loss: number(loss), rate: String(rate), left });
      return;
    }
    if (step % Math.ceil(totalSteps / plainLines) !== 0 && step !== totalSteps) return;
    writeLine(
      `step ${step}/${totalSteps} | epoch ${epoch + 1} | loss ${number(loss)} | ${rate} samples/s | ${left} left`,
    );
  }

  logMetrics(metrics: Metrics, step: number): void {
    const validation = Object.entries(metrics).filter(([name]) => name.startsWith("val_") && !isConfusionCell(name));
    if (validation.length === 0) return;
    this.#write(`step ${step} | ${validation.map(([name, value]) => `${name} ${number(value)}`).join(" | ")}`);
  }

  logMessage(_level: string, message: string): void {
    this.#write(message);
  }

  #write(text: string): void {
    if (this.#bar) this.#bar.line(text);
    else writeLine(text);
  }

  onTrainEnd(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  onFitEnd({ trainer }: FitContext): void {
    const share = trainer.lastRun?.dataShare;
    if (share !== undefined) writeLine(`waited for data: ${(100 * share).toFixed(1)} % of the steps' time`);
  }

  finalize(): void {
    this.onTrainEnd();
  }
}
