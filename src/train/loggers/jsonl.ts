// metrics.jsonl in the run's folder: a JSON object a line.

import type { Logger, Metrics } from "../hooks.ts";
import { Optionless } from "../optionless.ts";
import type { Trainer } from "../trainer.ts";
import { appendText, cutLines } from "./records.ts";

const stepOf = (line: string): number => {
  try {
    return (JSON.parse(line) as { step: number }).step;
  } catch {
    return Number.NaN;
  }
};

/** Writes `{"step": …, …}` lines; NaN and infinities as text. On resume they are cut back to the checkpoint's step. Without a folder: nothing. */
export class JSONLLogger extends Optionless implements Logger {
  #path: string | undefined;

  postSetup({ options }: Trainer): void {
    this.#path = options.modelDir === undefined ? undefined : `${options.modelDir}/metrics.jsonl`;
  }

  onTrainStart({ trainer }: { trainer: Trainer }): void {
    if (this.#path) cutLines(this.#path, (line) => stepOf(line) <= trainer.step);
  }

  logMetrics(metrics: Metrics, step: number): void {
    if (!this.#path) return;
    const values = Object.entries(metrics).map(([name, value]) => [
      name,
      Number.isFinite(value) ? value : String(value),
    ]);
    appendText(this.#path, `${JSON.stringify({ step, ...Object.fromEntries(values) })}\n`);
  }
}
