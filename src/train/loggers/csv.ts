// metrics.csv in the run's folder: a line a number, so that numbers logged later need no new column.

import type { Logger, Metrics } from "../hooks.ts";
import { Optionless } from "../optionless.ts";
import type { Trainer } from "../trainer.ts";
import { appendText, cutLines } from "./records.ts";

const header = "step,name,value\n";
const quote = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Writes `step,name,value` lines. On resume they are cut back to the checkpoint's step. Without a folder: nothing. */
export class CSVLogger extends Optionless implements Logger {
  #path: string | undefined;

  postSetup({ options }: Trainer): void {
    this.#path = options.modelDir === undefined ? undefined : `${options.modelDir}/metrics.csv`;
  }

  onTrainStart({ trainer }: { trainer: Trainer }): void {
    const path = this.#path;
    if (path) cutLines(path, (line, i) => i === 0 || Number(line.slice(0, line.indexOf(","))) <= trainer.step);
  }

  logMetrics(metrics: Metrics, step: number): void {
    if (!this.#path) return;
    const lines = Object.entries(metrics).map(([name, value]) => `${step},${quote(name)},${value}\n`);
    appendText(this.#path, lines.join(""), header);
  }
}
