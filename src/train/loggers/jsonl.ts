// metrics.jsonl in the run's folder: a JSON object a line.

import { options } from "../../core/options.ts";
import type { Metrics } from "../run.ts";
import { FileLogger, type Logged } from "./file.ts";
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

/** The values of a line of the file; undefined of what no logger wrote. */
export function jsonlValues(line: string): readonly Logged[] | undefined {
  if (stepOf(line) === undefined) return undefined;
  const { step, ...values } = JSON.parse(line) as Record<string, number | string>;
  return Object.entries(values).map(([name, value]) => [Number(step), name, Number(value)]);
}

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

  readBack(): Iterable<Logged> {
    return this.lines().flatMap((line) => jsonlValues(line) ?? []);
  }
}
