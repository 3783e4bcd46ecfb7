// CSV as RFC 4180 has it: comma-separated fields, quotes doubled inside quotes, LF or CRLF, a header line. Numbers become columns of
// float32. Every error says line and column, from 1, a column counting UTF-16 units.

import { readText } from "#files";
import type { HostArray } from "../core/array.ts";
import { DataError, didYouMean } from "../core/errors.ts";
import { checkKeys } from "../core/keys.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";

/** One field and where it begins. */
export interface CsvField {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** A table of text: the columns' names, and rows with as many fields. */
export interface CsvTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly CsvField[])[];
}

/** Splits a text into records, one character after another. */
class CsvReader {
  readonly #where: string;
  readonly #text: string;
  #at: number;
  #line = 1;
  #lineStart: number;

  constructor(where: string, text: string) {
    this.#where = where;
    this.#text = text;
    this.#at = this.#lineStart = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  /** The records, blank lines left out. */
  records(): CsvField[][] {
    const records: CsvField[][] = [];
    while (this.#at < this.#text.length) {
      const record = [this.#field()];
      while (this.#text[this.#at] === ",") {
        this.#at++;
        record.push(this.#field());
      }
      this.#endLine();
      if (record.length > 1 || record[0].text !== "") records.push(record);
    }
    return records;
  }

  #place(): { line: number; column: number } {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #fail(problem: string, hint?: string, place = this.#place()): never {
    throw new DataError({ where: `${this.#where}:${place.line}:${place.column}`, problem, hint });
  }

  #endsField(): boolean {
    return this.#at >= this.#text.length || ",\r\n".includes(this.#text[this.#at]);
  }

  #newLine(): void {
    this.#at++;
    this.#line++;
    this.#lineStart = this.#at;
  }

  #endLine(): void {
    if (this.#text[this.#at] === "\r") {
      if (this.#text[this.#at + 1] !== "\n") this.#fail("a carriage return without a line feed");
      this.#at++;
    }
    this.#newLine();
  }

  #field(): CsvField {
    const place = this.#place();
    const text = this.#text[this.#at] === '"' ? this.#quoted(place) : this.#plain();
    return { text, ...place };
  }

  #plain(): string {
    const start = this.#at;
    for (; !this.#endsField(); this.#at++)
      if (this.#text[this.#at] === '"')
        this.#fail("a quote in a field that isn't quoted", 'quote the whole field, and write quotes in it twice: ""');
    return this.#text.slice(start, this.#at);
  }

  #quoted(opened: { line: number; column: number }): string {
    let field = "";
    for (this.#at++; ; ) {
      const character = this.#text[this.#at];
      if (character === undefined) this.#fail("a quote is never closed", undefined, opened);
      if (character === '"' && this.#text[this.#at + 1] !== '"') break;
      field += character;
      if (character === "\n") this.#newLine();
      else this.#at += character === '"' ? 2 : 1;
    }
    this.#at++;
    if (!this.#endsField()) this.#fail("text after a closing quote", 'a quote in a quoted field is written twice: ""');
    return field;
  }
}

/**
 * Splits CSV text; blank lines are skipped. Throws DataError with line and column for a stray or open quote, a bare carriage return, a column
 * named twice, and a row of another length than the header.
 */
export function parseCsv(where: string, text: string): CsvTable {
  const [names, ...rows] = new CsvReader(where, text).records();
  if (!names) throw new DataError({ where, problem: "an empty file", expected: "a header line and rows" });
  const header = names.map((field) => field.text);
  for (const [i, { text, line, column }] of names.entries()) {
    if (header.indexOf(text) < i)
      throw new DataError({ where: `${where}:${line}:${column}`, problem: "a column is named twice", got: text });
  }
  for (const row of rows) {
    if (row.length === header.length) continue;
    const { line, column } = row[Math.min(row.length - 1, header.length)];
    throw new DataError({
      where: `${where}:${line}:${column}`,
      problem: "a row of another length than the header",
      got: `${row.length} fields`,
      expected: String(header.length),
    });
  }
  return { header, rows };
}

export interface CsvOptions {
  /** Columns that become `inputs`, in this order; all but the target unless given. */
  readonly inputs?: readonly string[];
  /** The column that becomes `targets`: numbers as float32, or with `classes` their position there as int32. */
  readonly target: string;
  /** The target's possible values, in the order of their class numbers. */
  readonly classes?: readonly string[];
  /**
   * Texts that stand for a missing number, and what becomes of it: a number in its place, or `drop` leaves out every row that misses one
   * of the columns used. Without it a missing number is an error.
   */
  readonly missing?: { readonly texts: readonly string[]; readonly value: number | "drop" };
}

const number = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * A table's numbers: `inputs` [rows, columns] float32; `targets` [rows, 1] float32, or with classes [rows] int32. Blanks around a number or
 * class don't count. Throws DataError for an unknown column, and with line and column for a text that is no number, no float32 or no class.
 */
export function csvArrays(
  where: string,
  { header, rows }: CsvTable,
  options: CsvOptions,
): Record<"inputs" | "targets", HostArray> {
  checkKeys("csv", options, ["inputs", "target", "classes", "missing"]);
  const { inputs, target, classes, missing } = options;
  if (missing) checkKeys("csv.missing", missing, ["texts", "value"]);
  const columnOf = (name: string): number => {
    const column = header.indexOf(name);
    if (column >= 0) return column;
    const near = didYouMean(name, header);
    throw new DataError({
      where,
      problem: "no such column",
      got: name,
      expected: header.join(", "),
      hint: near && `did you mean ${near}?`,
    });
  };
  const targetColumn = columnOf(target);
  const columns = inputs
    ? inputs.map(columnOf)
    : header.map((_, column) => column).filter((column) => column !== targetColumn);
  const isMissing = ({ text }: CsvField): boolean => missing?.texts.includes(text.trim()) ?? false;
  const used = [...columns, targetColumn];
  const kept = missing?.value === "drop" ? rows.filter((row) => !used.some((column) => isMissing(row[column]))) : rows;
  const fail = ({ text, line, column }: CsvField, problem: string, expected?: string, hint?: string): never => {
    throw new DataError({
      where: `${where}:${line}:${column}`,
      problem,
      got: JSON.stringify(text.trim()),
      expected,
      hint,
    });
  };
  const read = (row: readonly CsvField[], column: number): number => {
    const text = row[column].text.trim();
    if (isMissing(row[column])) return Math.fround(missing!.value as number);
    if (!number.test(text))
      fail(
        row[column],
        `column ${header[column]} doesn't hold a number`,
        undefined,
        "leave the column out of inputs, or say how missing numbers are written: missing",
      );
    const value = Math.fround(Number(text));
    return Number.isFinite(value) ? value : fail(row[column], "a number too large for float32", "below 2^128");
  };
  const classOf = (row: readonly CsvField[]): number => {
    const found = classes!.indexOf(row[targetColumn].text.trim());
    return found >= 0 ? found : fail(row[targetColumn], "not one of the classes", classes!.join(", "));
  };
  return {
    inputs: {
      data: Float32Array.from(kept.flatMap((row) => columns.map((column) => read(row, column)))),
      shape: [kept.length, columns.length],
      dtype: "float32",
    },
    targets: classes
      ? { data: Int32Array.from(kept, classOf), shape: [kept.length], dtype: "int32" }
      : {
          data: Float32Array.from(kept, (row) => read(row, targetColumn)),
          shape: [kept.length, 1],
          dtype: "float32",
        },
  };
}

/** A dataset of a CSV file, named by the file without its folder (a run's digest must not know of folders): the fields of `csvArrays`. Throws DataError. */
export function csvDataset(path: string, options: CsvOptions): Dataset {
  const name = path.split(/[\\/]/).at(-1)!;
  return arrayDataset(name, csvArrays(path, parseCsv(path, readText(path)), options));
}
