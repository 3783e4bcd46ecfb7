// What of a table is learned from the rows that are trained on: means, deviations and categories. They are kept with the run, and other rows are read by them.
import type { HostArray } from "../core/array.ts";
import { DataError } from "../core/errors.ts";
import type { TableColumn, TableState } from "./dataset.ts";

/** A table's inputs before anything is learned of them. */
export interface RawTable {
  /** The file, for errors. */
  readonly where: string;
  readonly columns: readonly RawColumn[];
  /** [rows, columns]: numbers, the position among a column's categories, or NaN for what is missing. */
  readonly data: Float32Array;
}

export interface RawColumn {
  readonly name: string;
  /** Of a column of texts: those that are there, ascending. */
  readonly categories?: readonly string[];
}

/** What is learned of numbers. */
export interface Learning {
  /** The columns that are standardised. */
  readonly standardize: ReadonlySet<string>;
  /** Whether the mean takes a missing number's place. */
  readonly fillMean: boolean;
}

/** What some rows of a table, or all, teach. Sums run in the order of the rows, in float64; a deviation is of the rows themselves (÷ n), and 1 where all are alike. Throws DataError for a column without a number. */
export function fitTable({ where, columns, data }: RawTable, learning: Learning, rows?: Int32Array): TableState {
  const width = columns.length;
  const count = rows?.length ?? data.length / width;
  return columns.map(({ name, categories }, column): TableColumn => {
    const standardized = learning.standardize.has(name);
    if (categories) return { column: name, categories };
    if (!standardized && !learning.fillMean) return { column: name };
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      const value = data[(rows ? rows[i] : i) * width + column];
      if (!Number.isNaN(value)) values.push(value);
    }
    if (values.length === 0)
      throw new DataError({
        where,
        problem: `column ${name} holds no number to take the mean of`,
        got: `${count} rows`,
      });
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length + 0;
    const fill = learning.fillMean ? { fill: mean } : {};
    if (!standardized) return { column: name, ...fill };
    const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
    return { column: name, ...fill, mean, deviation: Math.sqrt(squares / values.length) || 1 };
  });
}

/** Names of the numbers that inputs have under a state: a category's is `column=category`. */
export const encodedColumns = (state: TableState): string[] =>
  state.flatMap(({ column, categories }) => categories?.map((category) => `${column}=${category}`) ?? [column]);

/** A table's inputs by numbers that were learned of these rows, or of others: (x − mean) ÷ deviation in float64, rounded once; a category as 1 among zeros, a missing one as zeros. Throws DataError for a column or a category that isn't there. */
export function encodeTable({ where, columns, data }: RawTable, state: TableState): HostArray {
  const fail = (problem: string, got: string, expected: string): never => {
    throw new DataError({ where, problem, got, expected });
  };
  const rows = data.length / columns.length;
  const width = encodedColumns(state).length;
  const places = new Map(columns.map(({ name }, place) => [name, place]));
  const out = new Float32Array(rows * width);
  let to = 0;
  for (const { column, categories, mean = 0, deviation = 1, fill = Number.NaN } of state) {
    const from =
      places.get(column) ??
      fail("a column that the model was trained on is missing", [...places.keys()].join(", "), column);
    const own = columns[from].categories;
    if ((own === undefined) !== (categories === undefined))
      fail(
        `column ${column} isn't of the kind that was trained on`,
        own ? "categories" : "numbers",
        own ? "numbers" : "categories",
      );
    const numbers = new Map(categories?.map((category, number) => [category, number]));
    for (let row = 0; row < rows; row++) {
      const value = data[row * columns.length + from];
      if (!own) out[row * width + to] = ((Number.isNaN(value) ? fill : value) - mean) / deviation;
      else if (!Number.isNaN(value)) {
        const number =
          numbers.get(own[value]) ??
          fail(`column ${column}: a category that wasn't trained on`, own[value], categories!.join(", "));
        out[row * width + to + number] = 1;
      }
    }
    to += categories?.length ?? 1;
  }
  return { data: out, shape: [rows, width], dtype: "float32" };
}

/** Renumbers a column's texts, which have numbers in the order they came, by their own order. */
export function sortCategories(
  data: Float32Array,
  column: number,
  width: number,
  found: Map<string, number>,
): string[] {
  const sorted = [...found.keys()].sort();
  const place = new Map(sorted.map((text, i) => [found.get(text)!, i]));
  for (let at = column; at < data.length; at += width) data[at] = place.get(data[at]) ?? Number.NaN;
  return sorted;
}
