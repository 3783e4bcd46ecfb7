// CSV as RFC 4180 has it: comma-separated fields, quotes doubled inside quotes, LF or CRLF, a header line. Numbers become columns of float32.
import { readText } from "#files";
import type { HostArray } from "../core/array.ts";
import { DataError, didYouMean } from "../core/errors.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";

/** One record with the line it begins on, from 1. */
interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/** A table of text: header and rows. */
export interface CsvTable {
  readonly header: readonly string[];
  readonly rows: readonly CsvRecord[];
}

/** Splits CSV text; blank lines are skipped. Throws DataError with line and column for a stray or open quote, and for a row of another length than the header. */
export function parseCsv(where: string, text: string): CsvTable {
  const records: CsvRecord[] = [];
  let [at, line, lineStart] = [text.charCodeAt(0) === 0xfeff ? 1 : 0, 1, 0];
  const fail = (problem: string, hint?: string): never => {
    throw new DataError({ where: `${where}:${line}:${at - lineStart + 1}`, problem, hint });
  };
  const quoted = (): string => {
    let field = "";
    const [openLine, openColumn] = [line, at - lineStart + 1];
    for (at++; ; at++) {
      if (at >= text.length)
        throw new DataError({ where: `${where}:${openLine}:${openColumn}`, problem: "a quote is never closed" });
      if (text[at] === '"') {
        if (text[at + 1] !== '"') break;
        at++;
      } else if (text[at] === "\n") {
        line++;
        lineStart = at + 1;
      }
      field += text[at];
    }
    at++;
    if (at < text.length && !",\r\n".includes(text[at]))
      fail("text after a closing quote", 'a quote inside a quoted field is written twice: ""');
    return field;
  };
  const plain = (): string => {
    const start = at;
    while (at < text.length && !",\r\n".includes(text[at])) {
      if (text[at] === '"')
        fail("a quote inside a field that isn't quoted", 'quote the whole field, and write quotes inside it twice: ""');
      at++;
    }
    return text.slice(start, at);
  };
  while (at < text.length) {
    const record: CsvRecord & { fields: string[] } = { line, fields: [] };
    for (;;) {
      record.fields.push(text[at] === '"' ? quoted() : plain());
      if (text[at] !== ",") break;
      at++;
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    else if (text[at] === "\r") fail("a carriage return without a line feed");
    at++;
    line++;
    lineStart = at;
    if (record.fields.length > 1 || record.fields[0] !== "") records.push(record);
  }
  const [header, ...rows] = records;
  if (!header) throw new DataError({ where, problem: "an empty file", expected: "a header line and rows" });
  for (const { line: rowLine, fields } of rows) {
    if (fields.length !== header.fields.length) {
      throw new DataError({
        where: `${where}:${rowLine}`,
        problem: "a row of another length than the header",
        got: `${fields.length} fields`,
        expected: String(header.fields.length),
      });
    }
  }
  return { header: header.fields, rows };
}

export interface CsvOptions {
  /** Columns that become `inputs`, in this order; all but the target unless given. */
  readonly inputs?: readonly string[];
  /** The column that becomes `targets`: numbers as float32, or with `classes` their position there as int32. */
  readonly target: string;
  /** The target's possible values, in the order of their class numbers. */
  readonly classes?: readonly string[];
  /** Texts that stand for a missing number, and what takes its place; without it a missing number is an error. */
  readonly missing?: { readonly texts: readonly string[]; readonly value: number };
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A table's numbers: inputs [rows, columns] float32, targets [rows] float32 or int32. Throws DataError for an unknown column, a text that is no number or no class. */
export function csvArrays(
  where: string,
  { header, rows }: CsvTable,
  options: CsvOptions,
): Record<"inputs" | "targets", HostArray> {
  const columnOf = (name: string) => {
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
  const target = columnOf(options.target);
  const columns = options.inputs
    ? options.inputs.map(columnOf)
    : header.map((_, column) => column).filter((column) => column !== target);
  const read = ({ line, fields }: CsvRecord, column: number): number => {
    const text = fields[column].trim();
    if (options.missing?.texts.includes(text)) return options.missing.value;
    if (number.test(text)) return Number(text);
    throw new DataError({
      where: `${where}:${line}`,
      problem: `column ${header[column]} doesn't hold a number`,
      got: JSON.stringify(text),
      hint: "leave the column out of inputs, or say how missing numbers are written: missing",
    });
  };
  const classOf = ({ line, fields }: CsvRecord): number => {
    const found = options.classes!.indexOf(fields[target].trim());
    if (found >= 0) return found;
    throw new DataError({
      where: `${where}:${line}`,
      problem: "not one of the classes",
      got: fields[target],
      expected: options.classes!.join(", "),
    });
  };
  const inputs = Float32Array.from(rows.flatMap((row) => columns.map((column) => read(row, column))));
  const targets: HostArray = options.classes
    ? { data: Int32Array.from(rows, classOf), shape: [rows.length], dtype: "int32" }
    : { data: Float32Array.from(rows, (row) => read(row, target)), shape: [rows.length], dtype: "float32" };
  return { inputs: { data: inputs, shape: [rows.length, columns.length], dtype: "float32" }, targets };
}

/** A dataset of a CSV file: `inputs` [columns] float32 and `targets` []. Throws DataError. */
export function csvDataset(path: string, options: CsvOptions): Dataset {
  return arrayDataset(path, csvArrays(path, parseCsv(path, readText(path)), options));
}
