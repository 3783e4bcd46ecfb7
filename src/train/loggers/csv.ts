// metrics.csv in the run's folder: one row per logged value, so that values logged later need no new column.

import { options } from "../../core/options.ts";
import type { Metrics } from "../run.ts";
import { FileLogger, type Logged } from "./file.ts";
import { linesOf, type RecordFormat } from "./records.ts";

const encoder = new TextEncoder();
const header = "step,name,value";
/** A text as a cell. One row is one line: a line break in it is written as two characters. */
export const csvCell = (text: string) => {
  const line = text.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
};
const unquoted = (cell: string) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
const row = /^(\d+),([^",]*|"(?:[^"]|"")*"),(NaN|-?Infinity|-?\d[\d.e+-]*)$/;

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const first = encoder.encode(`${header}\n`);

/** The value of a line of the file: none of a header, undefined of what no logger wrote. */
export function csvValues(line: string): readonly Logged[] | undefined {
  if (line === header) return [];
  const [, step, name, value] = row.exec(line) ?? [];
  return step === undefined ? undefined : [[Number(step), unquoted(name), Number(value)]];
}

/** Writes `step,name,value` rows into `metrics.csv`. */
export class CSVLogger extends FileLogger {
  static override readonly options = options("CSVLogger", {});
  protected override readonly file = "metrics.csv";
  protected override readonly format: RecordFormat = {
    header: () => first,
    isHeader: (bytes) => first.every((byte, i) => bytes[i] === byte),
    next: linesOf((line) => (line === header ? 0 : numberOf(row.exec(line)?.[1]))),
  };

  logMetrics(metrics: Metrics, step: number): void {
    const lines = Object.entries(metrics).map(([name, value]) => `${step},${csvCell(name)},${value}\n`);
    this.append(() => encoder.encode(lines.join("")));
  }

  readBack(): Iterable<Logged> {
    return this.lines().flatMap((line) => csvValues(line) ?? []);
  }
}
