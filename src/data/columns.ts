// Columns of a CSV table as arrays: found by their names, read as float32 or as classes. Nothing that isn't a number becomes one by itself.

import { readText } from "#files";
import { checkArguments, kind, string } from "../core/arguments.ts";
import type { HostArray } from "../core/array.ts";
import { sha256Hex } from "../core/canonical.ts";
import { DataError, refuse } from "../core/errors.ts";
import { anyText, either, filePath, flag, type Given, list, options as optionsOf, text } from "../core/options.ts";
import { named } from "../core/things.ts";
import { type CsvTable, isNumber, noHeader, parseCsv } from "./csv.ts";
import { arrayDataset, arrayField, type Dataset, type TableState } from "./dataset.ts";
import { checkMissing, checkNames, missing, positions, readRows, type TableArrays } from "./rows.ts";
import { encodedColumns, encodeTable, fitTable, type Learning, type RawTable } from "./table.ts";

/** How a table is read. */
export const csvFields = {
  /** Columns that become `inputs`, in this order; all but the target unless given. */
  inputs: list(text).optional(),
  /** The column that becomes `targets`: numbers as float32, or with `classes` their position there as int32. */
  target: text,
  /** A column of numbers ≥ 0 that becomes `sampleWeights`: what each row counts in a loss, of training and of validation; metrics count rows. It is no input unless `inputs` names it. */
  sampleWeights: text.optional(),
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

/** The columns that are inputs where none are named: all but the target and the sample weights. Throws DataError for one without a name, and for a file without a header. */
export function inputColumns(
  where: string,
  { header }: CsvTable,
  { target, sampleWeights }: Pick<Partial<CsvOptions>, "target" | "sampleWeights"> = {},
): string[] {
  // A table's columns may be numbered from 0; a line with other numbers is a row.
  const isData = (name: string) => isNumber(name) && (target === undefined || !/^\d+$/.test(name));
  const data = header.find(isData);
  if (data !== undefined)
    throw new DataError({ where, problem: "no header line", got: header.join(","), hint: noHeader });
  const names = header.filter((name) => name !== target?.trim() && name !== sampleWeights?.trim());
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
  arrays: optionsOf("csv", "data.csvArrays", csvFields).call({
    where: string,
    table: kind("a table, as parseCsv gives it", isTable),
  }),
  dataset: optionsOf("csv", "data.csvDataset", csvFields).call({ path: string }),
};

/**
 * A table's numbers: `inputs` [rows, columns] float32; `targets` [rows, 1] float32, or with classes [rows] int32; `sampleWeights` [rows] float32, where asked for. Columns are found by name; blanks
 * around a name, number or class don't count. What is learned (`standardize`, `categorical`, a mean for what is missing) is learned of all rows. Throws DataError for an unknown column, and with line and column for
 * a text that is no number, no float32 or no class, for a target or a weight that is missing, and for a weight below 0.
 */
export function csvArrays(
  where: string,
  table: CsvTable,
  options: CsvOptions,
): TableArrays & { readonly inputs: HostArray } {
  checkArguments(calls.arrays, arguments);
  const { raw, others } = readTable(where, table, options);
  return { inputs: encodeTable(raw, fitTable(raw, learningOf(raw, options))), ...others };
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
  const { raw, others } = readTable(path, table, options);
  return datasetOf(raw, learningOf(raw, options), { ...others });
}

function readTable(
  where: string,
  table: CsvTable,
  options: CsvOptions,
): { readonly raw: RawTable; readonly others: TableArrays } {
  const { inputs, target, sampleWeights, classes, categorical = [] } = options;
  const source = { where, table, missing: checkMissing(where, options.missing), categorical };
  const [targetColumn] = positions(source, [target]);
  const [weights] = sampleWeights === undefined ? [] : positions(source, [sampleWeights]);
  const columns = positions(source, inputs ?? inputColumns(where, table, options));
  checkNames(where, "classes", classes ?? ["any"]);
  if (columns.includes(targetColumn))
    throw new DataError({ where, problem: "the target is among the inputs", got: target, expected: "other columns" });
  if (weights === targetColumn) refuse(DataError, where, "the sample weights are the target", target, "another column");
  const { raw, others } = readRows(source, columns, { column: targetColumn, classes, weights });
  return { raw, others: others! };
}

/** What is to be learned of a table's inputs. Throws DataError for a column that isn't among them, or not of that kind. */
function learningOf(
  { where, columns }: RawTable,
  { standardize = false, missing }: Pick<CsvOptions, "standardize" | "missing">,
): Learning {
  const numbers = columns.flatMap(({ name, categories }) => (categories ? [] : [name]));
  const named = Array.isArray(standardize) ? standardize.map((name) => name.trim()) : standardize ? numbers : [];
  const known = new Set(numbers);
  const other = named.find((name) => !known.has(name));
  if (other !== undefined)
    refuse(DataError, `${where}: standardize`, "not a column of numbers among the inputs", other, numbers.join(", "));
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
