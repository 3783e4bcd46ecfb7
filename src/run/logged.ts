// The files in a run's folder that hold every logged number, exactly: how they are written, and what a folder has of them for who looks at a run that is over or goes on elsewhere.
import { exists, readText } from "#files";
import { CheckpointError } from "../core/errors.ts";
import { type RecordFormat, textLines } from "../io/records.ts";
import { isNumber, numberOf, numbersText, numberText } from "./fields.ts";
import { type History, LoggedNumbers } from "./history.ts";

/** What a line says. */
interface Line {
  readonly step: number;
  readonly values: readonly (readonly [name: string, value: number])[];
}

/** A file of logged numbers. */
export interface NumbersFile {
  /** Its name in the run's folder. */
  readonly name: string;
  readonly records: RecordFormat;
  /** Lines of what was logged at once. */
  write(metrics: Readonly<Record<string, number>>, step: number): string;
  /** What a line says: no values of a header, undefined of what no logger wrote. */
  read(line: string): Line | undefined;
}

const fileOf = (name: string, given: Pick<NumbersFile, "read" | "write"> & { header?: string }): NumbersFile => {
  const read = (line: string) => (line === given.header ? { step: 0, values: [] } : given.read(line));
  return { ...given, name, read, records: textLines((line) => read(line)?.step, given.header) };
};

/** A text as a cell. One row is one line: a line break in it is written as two characters. */
export const csvCell = (text: string) => {
  const line = text.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
};
const unquoted = (cell: string) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
const row = /^(\d+),([^",]*|"(?:[^"]|"")*"),(NaN|-?Infinity|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/;

/** `metrics.csv`: one row per logged value, so that values logged later need no new column. */
export const csvFile: NumbersFile = fileOf("metrics.csv", {
  header: "step,name,value",
  write(metrics, step) {
    const lines = Object.entries(metrics).map(([name, value]) => `${step},${csvCell(name)},${numberText(value)}\n`);
    return lines.join("");
  },
  read(line) {
    const [, step, name, value] = row.exec(line) ?? [];
    return step === undefined ? undefined : { step: Number(step), values: [[unquoted(name), Number(value)]] };
  },
});

/** `metrics.jsonl`: a JSON object a line, `{"step": …, …}`; NaN, infinities and −0 as text. */
export const jsonlFile: NumbersFile = fileOf("metrics.jsonl", {
  write(metrics, step) {
    return `${JSON.stringify({ step, ...numbersText(metrics) })}\n`;
  },
  read(line) {
    try {
      const { step, ...values } = JSON.parse(line) as Record<string, number | string>;
      if (!Number.isSafeInteger(step) || !Object.values(values).every(isNumber)) return undefined;
      return { step: Number(step), values: Object.entries(values).map(([name, value]) => [name, numberOf(value)]) };
    } catch {
      return undefined;
    }
  },
});

/** What was read of a folder. */
interface LoggedFile {
  /** Its name; undefined where the folder has none of them. */
  readonly file?: string;
  readonly history: History;
  /** Lines that no logger wrote. */
  readonly damaged: number;
}

/** What the whole lines of a file say, and how many of them no logger wrote. A last one that was cut off is none of them: it was being written when the run ended. */
export function readNumbers(
  path: string,
  file: NumbersFile,
): { readonly said: readonly Line[]; readonly damaged: number } {
  // What follows the last line feed is nothing, or a line that was cut off.
  const lines = readText(path, CheckpointError).split("\n").slice(0, -1);
  const said = lines.map((line) => file.read(line)).filter((line) => line !== undefined);
  return { said, damaged: lines.length - said.length };
}

/** Reads `metrics.csv`, or else `metrics.jsonl`, of a run's folder. */
export function readLogged(folder: string): LoggedFile {
  const numbers = new LoggedNumbers();
  const file = [csvFile, jsonlFile].find(({ name }) => exists(`${folder}/${name}`));
  if (file === undefined) return { history: {}, damaged: 0 };
  const { said, damaged } = readNumbers(`${folder}/${file.name}`, file);
  for (const { step, values } of said) numbers.add(step, Object.fromEntries(values));
  return { file: file.name, history: numbers.all(), damaged };
}
