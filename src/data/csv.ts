// CSV as RFC 4180 has it: comma-separated fields, quotes doubled inside quotes, LF or CRLF, a header line. A table holds the text alone: its fields
// are found anew each time rows are walked, so that a file takes no more memory than its text. Every error says line and column, from 1, a
// column counting UTF-16 units.
import { checkArguments, signature, string } from "../core/arguments.ts";
import { DataError } from "../core/errors.ts";

/** One field and where it begins. */
export interface CsvField {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** A row of a table: its fields by column, until the next row is walked to. */
export interface CsvRow {
  readonly length: number;
  /** A field's text, unquoted. */
  text(column: number): string;
  /** A field, and where it begins. */
  field(column: number): CsvField;
}

/** A table of text: the columns' names without blanks around them, and rows with as many fields. */
export interface CsvTable {
  readonly header: readonly string[];
  /** The number of rows. */
  readonly size: number;
  /** Each row's fields. */
  readonly rows: Iterable<readonly CsvField[]>;
  /** Calls `visit` with each row in order, and with its number from 0. */
  each(visit: (row: CsvRow, index: number) => void): void;
}

const comma = 44;
const quote = 34;
const lineFeed = 10;
const carriageReturn = 13;

/** Finds the fields of a text's records, one record after another. */
class CsvReader implements CsvRow {
  readonly #where: string;
  readonly #text: string;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #at: number;
  /** The last line that was asked for, where it begins, and its line feed: later ones are counted from there. */
  #counted = { line: 0, start: Number.POSITIVE_INFINITY, end: -1 };

  constructor(where: string, text: string) {
    this.#where = where;
    this.#text = text;
    this.#at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  get length(): number {
    return this.#starts.length;
  }

  text(column: number): string {
    const [start, end] = [this.#starts[column], this.#ends[column]];
    if (this.#text.charCodeAt(start) !== quote) return this.#text.slice(start, end);
    return this.#text.slice(start + 1, end - 1).replaceAll('""', '"');
  }

  field(column: number): CsvField {
    return { text: this.text(column), ...this.#place(this.#starts[column]) };
  }

  /** Goes to the next record that isn't a blank line; false at the end. */
  next(): boolean {
    const text = this.#text;
    while (this.#at < text.length) {
      const start = this.#at;
      this.#starts.length = this.#ends.length = 0;
      this.#field();
      while (text.charCodeAt(this.#at) === comma) {
        this.#at++;
        this.#field();
      }
      const blank = this.#at === start;
      this.#endLine();
      if (!blank) return true;
    }
    return false;
  }

  #place(at: number): { line: number; column: number } {
    const first = () => ({ line: 1, start: 0, end: this.#text.indexOf("\n") });
    let { line, start, end } = at < this.#counted.start ? first() : this.#counted;
    for (; end >= 0 && end < at; end = this.#text.indexOf("\n", start)) {
      line++;
      start = end + 1;
    }
    this.#counted = { line, start, end };
    const mark = line === 1 && this.#text.charCodeAt(0) === 0xfeff ? 1 : 0;
    return { line, column: at - start - mark + 1 };
  }

  #fail(problem: string, hint?: string, at = this.#at): never {
    const { line, column } = this.#place(at);
    throw new DataError({ where: `${this.#where}:${line}:${column}`, problem, hint });
  }

  #endLine(): void {
    if (this.#text.charCodeAt(this.#at) === carriageReturn) {
      if (this.#text.charCodeAt(this.#at + 1) !== lineFeed) this.#fail("a carriage return without a line feed");
      this.#at++;
    }
    this.#at++;
  }

  #field(): void {
    this.#starts.push(this.#at);
    if (this.#text.charCodeAt(this.#at) === quote) this.#quoted();
    else this.#plain();
    this.#ends.push(this.#at);
  }

  #endsField(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    return code === comma || code === lineFeed || code === carriageReturn || this.#at >= this.#text.length;
  }

  #plain(): void {
    for (; !this.#endsField(); this.#at++)
      if (this.#text.charCodeAt(this.#at) === quote)
        this.#fail("a quote in a field that isn't quoted", 'quote the whole field, and write quotes in it twice: ""');
  }

  #quoted(): void {
    const opened = this.#at++;
    for (;;) {
      const next = this.#text.indexOf('"', this.#at);
      if (next < 0) this.#fail("a quote is never closed", undefined, opened);
      this.#at = next + 1;
      if (this.#text.charCodeAt(this.#at) !== quote) break;
      this.#at++;
    }
    if (!this.#endsField()) this.#fail("text after a closing quote", 'a quote in a quoted field is written twice: ""');
  }
}

const call = signature("data.parseCsv", { where: string, text: string });

/**
 * Splits CSV text; blank lines are skipped. Throws DataError with line and column for a stray or open quote, a bare carriage return, a column
 * named twice, and a row of another length than the header.
 */
export function parseCsv(where: string, text: string): CsvTable {
  checkArguments(call, arguments);
  const first = new CsvReader(where, text);
  if (!first.next()) throw new DataError({ where, problem: "an empty file", expected: "a header line and rows" });
  const header = Array.from({ length: first.length }, (_, column) => ownText(first.text(column).trim()));
  const named = new Set<string>();
  for (const [column, name] of header.entries()) {
    if (named.size < named.add(name).size) continue;
    throw new DataError({
      where: placeText(where, first.field(column)),
      problem: "a column is named twice",
      got: name,
      hint: isNumber(name) ? noHeader : undefined,
    });
  }
  let size = 0;
  for (; first.next(); size++) {
    if (first.length === header.length) continue;
    throw new DataError({
      where: placeText(where, first.field(Math.min(first.length - 1, header.length))),
      problem: "a row of another length than the header",
      got: `${first.length} fields`,
      expected: String(header.length),
    });
  }
  const walk = () => {
    const reader = new CsvReader(where, text);
    reader.next();
    return reader;
  };
  return {
    header,
    size,
    rows: {
      *[Symbol.iterator]() {
        for (const reader = walk(); reader.next(); )
          yield Array.from({ length: reader.length }, (_, column) => reader.field(column));
      },
    },
    each(visit) {
      const reader = walk();
      for (let index = 0; reader.next(); index++) visit(reader, index);
    },
  };
}

/** A table of columns of texts, as files other than CSV hold them; a field's line is its row, its column the column, from 1. */
export function columnTable(header: readonly string[], columns: readonly (readonly string[])[]): CsvTable {
  const size = columns[0]?.length ?? 0;
  const row = (index: number): CsvRow => ({
    length: header.length,
    text: (column) => columns[column][index],
    field: (column) => ({ text: columns[column][index], line: index + 1, column: column + 1 }),
  });
  return {
    header,
    size,
    rows: {
      *[Symbol.iterator]() {
        for (let index = 0; index < size; index++) yield Array.from(header, (_, column) => row(index).field(column));
      },
    },
    each(visit) {
      for (let index = 0; index < size; index++) visit(row(index), index);
    },
  };
}

/** A part of a text that doesn't keep the whole of it in memory, as engines' slices do. */
const ownText = (text: string): string => Array.from(text).join("");

/** Where a field is, for an error. */
export const placeText = (where: string, { line, column }: CsvField): string => `${where}:${line}:${column}`;

/** What to do about a file whose first line is data. */
export const noHeader =
  "the first line is the header: it names the columns; this file seems to begin with a row of numbers";

const number = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** Whether a text is a number in decimal digits. */
export const isNumber = (text: string): boolean => number.test(text);
