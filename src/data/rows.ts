// Cells of a CSV table as numbers: columns are found by name, and each row's cells are read as float32, classes, categories or weights. Nothing that
// isn't a number becomes one by itself.
import type { HostArray } from "../core/array.ts";
import { DataError, didYouMean, refuse } from "../core/errors.ts";
import { anyText, either, finite, type Given, list, options as optionsOf, recordOf, word } from "../core/options.ts";
import { type CsvRow, type CsvTable, isNumber, noHeader, placeText } from "./csv.ts";
import { type RawTable, sortCategories } from "./table.ts";

const missingRecord = optionsOf("missing", {
  /** Texts that stand for a missing number. */
  texts: list(anyText),
  /** A number in its place, `mean` for the mean of its column, or `drop` leaves out every row that misses one of the columns used. */
  value: either(finite, word("drop", "mean"), "a number, drop or mean"),
});
/** Texts that stand for a missing value, and what becomes of it. */
export type MissingNumbers = Given<typeof missingRecord>;
export const missing = recordOf(missingRecord);

/** Where a table's names are looked up. */
export interface Source {
  readonly where: string;
  readonly table: CsvTable;
  readonly missing?: MissingNumbers;
  readonly categorical: readonly string[];
}

export function checkMissing(where: string, missing: MissingNumbers | undefined): MissingNumbers | undefined {
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
export function checkNames(where: string, what: string, names: readonly string[]): void {
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (names.length > 0 && twice === undefined) return;
  throw new DataError({
    where: `${where}: ${what}`,
    problem: twice === undefined ? "none are named" : "one is named twice",
    got: twice,
    expected: "different names, at least one",
  });
}

/** Where columns are. */
export function positions({ where, table: { header } }: Source, names: readonly string[]): number[] {
  checkNames(where, "inputs", names);
  const columns = new Map(header.map((name, column) => [name, column]));
  return names.map((name) => {
    const column = columns.get(name.trim());
    if (column !== undefined) return column;
    throw new DataError({
      where,
      problem: "no such column",
      got: name,
      expected: header.join(", "),
      hint: header.some(isNumber) ? noHeader : didYouMean(name, header),
    });
  });
}

interface Target {
  readonly column: number;
  readonly classes?: readonly string[];
  /** The column of sample weights. */
  readonly weights?: number;
}

/** What of a table isn't inputs. */
export interface TableArrays {
  readonly targets: HostArray;
  readonly sampleWeights?: HostArray;
}

interface Rows {
  readonly raw: RawTable;
  readonly others?: TableArrays;
}

const nothingStands = 'no number stands for a missing target or weight; value: "drop" leaves its row out';

/** What a row's fields are, as numbers, and which rows are left out. */
interface FieldReader {
  /** By input: the place of each text of a column of texts, as they are met. */
  readonly texts: ReadonlyMap<number, Map<string, number>>;
  readonly isDropped: (row: CsvRow) => boolean;
  readonly inputOf: (row: CsvRow, column: number) => number;
  readonly targetOf: (row: CsvRow, target: Target) => number;
  readonly weightOf: (row: CsvRow, column: number) => number;
}

/** How fields are read. What it gives throws DataError, with the field's place, for one that isn't what its column holds. */
function fieldReader(
  { where, table, missing, categorical }: Source,
  columns: readonly number[],
  target: Target | undefined,
): FieldReader {
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
  const used = target?.weights === undefined ? columns : [...columns, target.weights];
  const isDropped = (row: CsvRow) =>
    missing?.value === "drop" && (used.some((column) => isMissing(row, column)) || missesTarget(row));
  const numberOf = (row: CsvRow, column: number): number => {
    const text = row.text(column).trim();
    if (!isNumber(text))
      fail(row, column, `column ${table.header[column]} doesn't hold a number`, {
        hint: `${columns.includes(column) ? "leave the column out of inputs, or " : ""}say how missing numbers are written: missing`,
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
        hint: nothingStands,
      });
    if (!classes) return numberOf(row, column);
    const found = classes.indexOf(row.text(column).trim());
    return found >= 0 ? found : fail(row, column, "not one of the classes", { expected: classes.join(", ") });
  };
  const weightOf = (row: CsvRow, column: number): number => {
    const name = table.header[column];
    if (isMissing(row, column)) fail(row, column, `the sample weight ${name} is missing`, { hint: nothingStands });
    const weight = numberOf(row, column);
    return weight >= 0 ? weight : fail(row, column, `a sample weight below 0 in ${name}`, { expected: "a number ≥ 0" });
  };
  return { texts, isDropped, inputOf, targetOf, weightOf };
}

/** The rows of a table: its inputs, and where there is a target, that and the weights. Throws DataError as `fieldReader` says. */
export function readRows(source: Source, columns: readonly number[], target?: Target): Rows {
  const { where, table, missing } = source;
  const { texts, isDropped, inputOf, targetOf, weightOf } = fieldReader(source, columns, target);
  let size = table.size;
  if (missing?.value === "drop")
    table.each((row) => {
      if (isDropped(row)) size--;
    });
  const data = new Float32Array(size * columns.length);
  const wanted = target && (target.classes ? new Int32Array(size) : new Float32Array(size));
  const weights = target?.weights === undefined ? undefined : new Float32Array(size);
  let to = 0;
  let index = 0;
  table.each((row) => {
    if (isDropped(row)) return;
    for (const column of columns) data[to++] = inputOf(row, column);
    if (wanted) wanted[index] = targetOf(row, target!);
    if (weights) weights[index] = weightOf(row, target!.weights!);
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
  const sampleWeights: HostArray | undefined = weights && { data: weights, shape: [size], dtype: "float32" };
  return { raw, others: targets && { targets, ...(sampleWeights && { sampleWeights }) } };
}

/** For each input that holds texts an empty list of its texts. Throws DataError for a column that isn't among the inputs. */
function positionsOfTexts(
  { where, table: { header }, categorical }: Source,
  columns: readonly number[],
): Map<number, Map<string, number>> {
  const inputs = new Map(columns.map((column) => [header[column], column]));
  return new Map(
    categorical.map((name) => {
      const column = inputs.get(name.trim());
      if (column !== undefined) return [column, new Map()];
      refuse(DataError, `${where}: categorical`, "not among the inputs", name, [...inputs.keys()].join(", "));
    }),
  );
}
