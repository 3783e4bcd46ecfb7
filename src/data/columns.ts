// Columns of a CSV table as arrays: found by their names, read as float32 or as classes. Nothing that isn't a number becomes one by itself.

import { readText } from "#files";
import { checkArguments, kind, string } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { sha256Hex } from "../core/canonical.ts";
import { DataError, didYouMean } from "../core/errors.ts";
import {
  anyText,
  either,
  filePath,
  finite,
  flag,
  type Given,
  list,
  options as optionsOf,
  recordOf,
  text,
  word,
} from "../core/options.ts";
import { named } from "../core/things.ts";
import { type CsvRow, type CsvTable, isNumber, noHeader, parseCsv, placeText } from "./csv.ts";
import { arrayDataset, arrayField, type Dataset, type TableState } from "./dataset.ts";
import { encodedColumns, encodeTable, fitTable, type Learning, type RawTable, sortCategories } from "./table.ts";

const missingRecord = optionsOf("missing", {
  /** Texts that stand for a missing number. */
  texts: list(anyText),
  /** A number in its place, `mean` for the mean of its column, or `drop` leaves out every row that misses one of the columns used. */
  value: either(finite, word("drop", "mean"), "a number, drop or mean"),
});
/** Texts that stand for a missing value, and what becomes of it. */
export type MissingNumbers = Given<typeof missingRecord>;
export const missing = recordOf(missingRecord);

/** How a table is read. */
export const csvFields = {
  /** Columns that become `inputs`, in this order; all but the target unless given. */
  inputs: list(text).optional(),
  /** The column that becomes `targets`: numbers as float32, or with `classes` their position there as int32. */
  target: text,
  /** The target's possible values, in the order of their class numbers. */
  classes: list(anyText).optional(),
  /** Without it a missing number is an error; a missing target always is, unless its row is dropped. */
  missing: missing.optional(),
  /** Inputs that are texts: each becomes a number for every text that is there, in ascending order of code units, 1 for its own and 0 for the others. */
  categorical: list(text).optional(),
  /** Inputs of numbers that are standardised, or all of them: less the mean, by the deviation, of the rows that are trained on. */
  standardize: either(flag, list(text), "true or false, or a list of columns").optional(),
} as const;
export type CsvOptions = Given<{ readonly fields: typeof csvFields }>;

/** Where a table's names are looked up. */
interface Source {
  readonly where: string;
  readonly table: CsvTable;
  readonly missing?: MissingNumbers;
  readonly categorical: readonly string[];
}

/** The inputs of a table alone, by the columns' names. Throws DataError as `csvArrays` does. */
export function inputTable(
  where: string,
  table: CsvTable,
  {
    columns,
    missing,
    categorical = [],
  }: Pick<CsvOptions, "missing" | "categorical"> & { readonly columns: readonly string[] },
): Dataset {
  const source = { where, table, missing: checkMissing(where, missing), categorical };
  const { raw } = readRows(source, positions(source, columns));
  return datasetOf(raw, learningOf(raw, { missing }), {});
}

/** The columns that are inputs where none are named: all but the target. Throws DataError for one without a name, and for a file without a header. */
export function inputColumns(where: string, { header }: CsvTable, target?: string): string[] {
  // A table's columns may be numbered from 0; a line with other numbers is a row.
  const isData = (name: string) => isNumber(name) && (target === undefined || !/^\d+$/.test(name));
  const data = header.find(isData);
  if (data !== undefined)
    throw new DataError({ where, problem: "no header line", got: header.join(","), hint: noHeader });
  const names = header.filter((name) => name !== target);
  const nameless = names.indexOf("");
  if (nameless < 0) return names;
  throw new DataError({
    where,
    problem: "a column has no name",
    got: `column ${header.indexOf("") + 1} of ${header.length}`,
    hint: "an index that was written along? leave it out of the file, or name the inputs",
  });
}

const isTable = (value: unknown) => {
  const { header, size, each } = (value ?? {}) as Partial<CsvTable>;
  return Array.isArray(header) && typeof size === "number" && typeof each === "function";
};
const calls = {
  arrays: optionsOf("csv", csvFields, "data.csvArrays").call({
    where: string,
    table: kind("a table, as parseCsv gives it", isTable),
  }),
  dataset: optionsOf("csv", csvFields, "data.csvDataset").call({ path: string }),
};

/**
 * A table's numbers: `inputs` [rows, columns] float32; `targets` [rows, 1] float32, or with classes [rows] int32. Columns are found by name; blanks
 * around a name, number or class don't count. What is learned (`standardize`, `categorical`, a mean for what is missing) is learned of all rows. Throws DataError for an unknown column, and with line and column for
 * a text that is no number, no float32 or no class, and for a target that is missing.
 */
export function csvArrays(
  where: string,
  table: CsvTable,
  options: CsvOptions,
): Record<"inputs" | "targets", HostArray> {
  checkArguments(calls.arrays, arguments);
  const { raw, targets } = readTable(where, table, options);
  return { inputs: encodeTable(raw, fitTable(raw, learningOf(raw, options))), targets: targets! };
}

/** A dataset of a CSV file, named by the file without its folder (a run's digest must not know of folders): the fields of `csvArrays`, and the inputs' columns. What is learned is learned of the rows that are trained on, and kept with the run. Throws DataError. */
export const csvDataset: (path: string, options: CsvOptions) => Dataset = named(
  optionsOf("csv", {
    /** The table's path: UTF-8, a header line. */
    file: filePath,
    ...csvFields,
  }),
  function (path: string, options: CsvOptions): Dataset {
    checkArguments(calls.dataset, arguments);
    return tableDataset(path, parseCsv(path, readText(path)), options);
  },
  ({ file, ...options }) => csvDataset(file, options),
);

/** A dataset of a file's table, as `csvDataset`. */
export function tableDataset(path: string, table: CsvTable, options: CsvOptions): Dataset {
  const { raw, targets } = readTable(path, table, options);
  return datasetOf(raw, learningOf(raw, options), { targets: targets! });
}

function readTable(where: string, table: CsvTable, options: CsvOptions): Rows {
  const { inputs, target, classes, categorical = [] } = options;
  const source = { where, table, missing: checkMissing(where, options.missing), categorical };
  const [targetColumn] = positions(source, [target]);
  const columns = positions(source, inputs ?? inputColumns(where, table, target.trim()));
  checkNames(where, "classes", classes ?? ["any"]);
  if (columns.includes(targetColumn))
    throw new DataError({ where, problem: "the target is among the inputs", got: target, expected: "other columns" });
  return readRows(source, columns, { column: targetColumn, classes });
}

/** What is to be learned of a table's inputs. Throws DataError for a column that isn't among them, or not of that kind. */
function learningOf(
  { where, columns }: RawTable,
  { standardize = false, missing }: Pick<CsvOptions, "standardize" | "missing">,
): Learning {
  const numbers = columns.flatMap(({ name, categories }) => (categories ? [] : [name]));
  const named = Array.isArray(standardize) ? standardize.map((name) => name.trim()) : standardize ? numbers : [];
  const other = named.find((name) => !numbers.includes(name));
  if (other !== undefined)
    throw new DataError({
      where: `${where}: standardize`,
      problem: "not a column of numbers among the inputs",
      got: other,
      expected: numbers.join(", "),
    });
  return { standardize: new Set(named), fillMean: missing?.value === "mean" };
}

/** A dataset of a table's rows. Where something is learned that is said in the digests; the data's own are those of the numbers as they were read. */
function datasetOf(raw: RawTable, learning: Learning, targets: Readonly<Record<string, HostArray>>): Dataset {
  const name = raw.where.split(/[\\/]/).at(-1)!;
  const learns = learning.standardize.size > 0 || learning.fillMean || raw.columns.some(({ categories }) => categories);
  const others = Object.entries(targets).map(([key, array]) => [key, arrayField(array)]);
  const under = (state: TableState) => ({
    fields: { inputs: arrayField(encodeTable(raw, state)), ...Object.fromEntries(others) },
    columns: encodedColumns(state),
  });
  const plain: HostArray = {
    data: raw.data,
    shape: [raw.data.length / raw.columns.length, raw.columns.length],
    dtype: "float32",
  };
  const { size, digests } = arrayDataset(name, { inputs: plain, ...targets });
  const said = JSON.stringify({
    columns: raw.columns,
    standardize: [...learning.standardize],
    fillMean: learning.fillMean,
  });
  return {
    name,
    size,
    digests: { ...digests, ...(learns && { [`${name}/table`]: sha256Hex(new TextEncoder().encode(said)) }) },
    ...under(fitTable(raw, learning)),
    table: { fit: (rows) => (learns ? fitTable(raw, learning, rows) : undefined), under },
  };
}

function checkMissing(where: string, missing: MissingNumbers | undefined): MissingNumbers | undefined {
  if (missing === undefined) return undefined;
  const { value } = missing;
  if (typeof value === "string" || Number.isFinite(Math.fround(value))) return missing;
  throw new DataError({
    where: `${where}: missing`,
    problem: "not what a missing number may become",
    got: String(value),
    expected: "a float32 number, drop or mean",
  });
}

/** Throws DataError for a list of names that is empty, or names one twice. */
function checkNames(where: string, what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (names.length > 0 && twice === undefined) return;
  throw new DataError({
    where: `${where}: ${what}`,
    problem: twice === undefined ? "none are named" : "one is named twice",
    got: twice,
    expected: "different names, at least one",
  });
}

/** Where columns are. */
function positions({ where, table: { header } }: Source, names: readonly string[]): number[] {
  checkNames(where, "inputs", names);
  return names.map((name) => {
    const column = header.indexOf(name.trim());
    if (column >= 0) return column;
    const near = didYouMean(name, header);
    throw new DataError({
      where,
      problem: "no such column",
      got: name,
      expected: header.join(", "),
      hint: header.some(isNumber) ? noHeader : near && `did you mean ${near}?`,
    });
  });
}

interface Target {
  readonly column: number;
  readonly classes?: readonly string[];
}

interface Rows {
  readonly raw: RawTable;
  readonly targets?: HostArray;
}

function readRows({ where, table, missing, categorical }: Source, columns: readonly number[], target?: Target): Rows {
  const fail = (row: CsvRow, column: number, problem: string, details: { expected?: string; hint?: string }): never => {
    const field = row.field(column);
    throw new DataError({
      where: placeText(where, field),
      problem,
      got: JSON.stringify(field.text.trim()),
      ...details,
    });
  };
  const absent = new Set(missing?.texts.map((text) => text.trim()));
  const isMissing = (row: CsvRow, column: number) => absent.has(row.text(column).trim());
  const missesTarget = (row: CsvRow) =>
    target !== undefined && isMissing(row, target.column) && !target.classes?.includes(row.text(target.column).trim());
  const isDropped = (row: CsvRow) =>
    missing?.value === "drop" && (columns.some((column) => isMissing(row, column)) || missesTarget(row));
  const numberOf = (row: CsvRow, column: number): number => {
    const text = row.text(column).trim();
    if (!isNumber(text))
      fail(row, column, `column ${table.header[column]} doesn't hold a number`, {
        hint: "leave the column out of inputs, or say how missing numbers are written: missing",
      });
    const value = Math.fround(Number(text));
    return Number.isFinite(value)
      ? value
      : fail(row, column, "a number too large for float32", { expected: "below 2^128" });
  };
  const texts = positionsOfTexts({ where, table, categorical }, columns);
  const filled = typeof missing?.value === "number" ? Math.fround(missing.value) : Number.NaN;
  const inputOf = (row: CsvRow, column: number) => {
    const found = texts.get(column);
    if (isMissing(row, column)) return found ? Number.NaN : filled;
    if (!found) return numberOf(row, column);
    const text = row.text(column).trim();
    const place = found.get(text) ?? found.size;
    found.set(text, place);
    return place;
  };
  const targetOf = (row: CsvRow, { column, classes }: Target): number => {
    if (missesTarget(row))
      fail(row, column, `the target ${table.header[column]} is missing`, {
        hint: 'no number stands for a missing target; value: "drop" leaves its row out',
      });
    if (!classes) return numberOf(row, column);
    const found = classes.indexOf(row.text(column).trim());
    return found >= 0 ? found : fail(row, column, "not one of the classes", { expected: classes.join(", ") });
  };

  let size = table.size;
  if (missing?.value === "drop")
    table.each((row) => {
      if (isDropped(row)) size--;
    });
  const data = new Float32Array(size * columns.length);
  const wanted = target && (target.classes ? new Int32Array(size) : new Float32Array(size));
  let to = 0;
  let index = 0;
  table.each((row) => {
    if (isDropped(row)) return;
    for (const column of columns) data[to++] = inputOf(row, column);
    if (wanted) wanted[index] = targetOf(row, target!);
    index++;
  });
  const raw = {
    where,
    data,
    columns: columns.map((column, i) => {
      const found = texts.get(column);
      return {
        name: table.header[column],
        ...(found && { categories: sortCategories(data, i, columns.length, found) }),
      };
    }),
  };
  const targets: HostArray | undefined = wanted && {
    data: wanted,
    shape: target!.classes ? [size] : [size, 1],
    dtype: target!.classes ? "int32" : "float32",
  };
  return { raw, targets };
}

/** For each input that holds texts an empty list of its texts. Throws DataError for a column that isn't among the inputs. */
function positionsOfTexts(
  { where, table: { header }, categorical }: Source,
  columns: readonly number[],
): Map<number, Map<string, number>> {
  const names = columns.map((column) => header[column]);
  return new Map(
    categorical.map((name) => {
      const at = names.indexOf(name.trim());
      if (at >= 0) return [columns[at], new Map()];
      throw new DataError({
        where: `${where}: categorical`,
        problem: "not among the inputs",
        got: name,
        expected: names.join(", "),
      });
    }),
  );
}
