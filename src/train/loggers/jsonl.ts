// metrics.jsonl in the run's folder: a JSON object a line.

import { options } from "../../core/options.ts";
import type { Metrics } from "../run.ts";
import { FileLogger } from "./file.ts";
import { linesOf, type RecordFormat } from "./records.ts";

const encoder = new TextEncoder();

const stepOf = (line: string): number | undefined => {
  try {
    const { step } = JSON.parse(line) as { step: unknown };
    return Number.isSafeInteger(step) ? (step as number) : undefined;
  } catch {
    return undefined;
  }
};

/** Writes `{"step": …, …}` lines into `metrics.jsonl`; NaN and infinities as text. */
export class JSONLLogger extends FileLogger {
  static override readonly options = options("JSONLLogger", {});
  protected override readonly file = "metrics.jsonl";
  protected override readonly format: RecordFormat = { next: linesOf(stepOf) };

  logMetrics(metrics: Metrics, step: number): void {
    const values = Object.entries(metrics).map(([name, value]) => [
      name,
      Number.isFinite(value) ? value : String(value),
    ]);
    this.append(() => encoder.encode(`${JSON.stringify({ step, ...Object.fromEntries(values) })}\n`));
  }

  *readBack(): Generator<readonly [number, string, number]> {
    for (const line of this.lines()) {
      if (stepOf(line) === undefined) continue;
      const { step, ...values } = JSON.parse(line) as Record<string, number | string>;
      for (const [name, value] of Object.entries(values)) yield [Number(step), name, Number(value)];
    }
  }
}
