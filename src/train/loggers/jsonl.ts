// metrics.jsonl in the run's folder: a JSON object a line.

import type { Logger, Metrics, TrainerView } from "../contract.ts";
import { Optionless } from "../optionless.ts";
import { damageMessage, linesOf, RecordFile } from "./records.ts";

const encoder = new TextEncoder();

const stepOf = (line: string): number | undefined => {
  try {
    const { step } = JSON.parse(line) as { step: unknown };
    return Number.isSafeInteger(step) ? (step as number) : undefined;
  } catch {
    return undefined;
  }
};

/** Writes `{"step": …, …}` lines; NaN and infinities as text. On resume they are cut back to the checkpoint's step. Without a folder: nothing. */
export class JSONLLogger extends Optionless implements Logger {
  #file: RecordFile | undefined;

  postSetup({ options }: TrainerView): void {
    if (options.modelDir === undefined) return;
    this.#file = new RecordFile(`${options.modelDir}/metrics.jsonl`, { next: linesOf(stepOf) });
  }

  onTrainStart({ trainer }: { trainer: TrainerView }): void {
    const damage = this.#file?.cutBack(trainer.step);
    if (damage) trainer.message("warn", damageMessage(this.#file!, trainer.step, damage));
  }

  logMetrics(metrics: Metrics, step: number): void {
    const values = Object.entries(metrics).map(([name, value]) => [
      name,
      Number.isFinite(value) ? value : String(value),
    ]);
    this.#file?.append(() => encoder.encode(`${JSON.stringify({ step, ...Object.fromEntries(values) })}\n`));
  }

  flush(): void {
    this.#file?.flush();
  }
}
