// metrics.csv in the run's folder: one row per logged value, so that values logged later need no new column.

import type { Logger, Metrics, TrainerView } from "../contract.ts";
import { Optionless } from "../optionless.ts";
import { damageMessage, linesOf, RecordFile } from "./records.ts";

const encoder = new TextEncoder();
const header = "step,name,value";
/** One row is one line: a line break in a name is written as two characters. */
const quote = (text: string) => {
  const line = text.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
};
const row = /^(\d+),(?:[^",]*|"(?:[^"]|"")*"),(?:NaN|-?Infinity|-?\d[\d.e+-]*)$/;

/** Writes `step,name,value` rows. On resume they are cut back to the checkpoint's step. Without a folder: nothing. */
export class CSVLogger extends Optionless implements Logger {
  #file: RecordFile | undefined;

  postSetup({ options }: TrainerView): void {
    if (options.modelDir === undefined) return;
    const first = encoder.encode(`${header}\n`);
    this.#file = new RecordFile(`${options.modelDir}/metrics.csv`, {
      header: () => first,
      isHeader: (bytes) => first.every((byte, i) => bytes[i] === byte),
      next: linesOf((line) => (line === header ? 0 : numberOf(row.exec(line)?.[1]))),
    });
  }

  onTrainStart({ trainer }: { trainer: TrainerView }): void {
    const damage = this.#file?.cutBack(trainer.step);
    if (damage) trainer.message("warn", damageMessage(this.#file!, trainer.step, damage));
  }

  logMetrics(metrics: Metrics, step: number): void {
    const lines = Object.entries(metrics).map(([name, value]) => `${step},${quote(name)},${value}\n`);
    this.#file?.append(() => encoder.encode(lines.join("")));
  }

  flush(): void {
    this.#file?.flush();
  }
}

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
