// Inputs alone, from a file: what a trained model is asked about. The file's name says what it is.

import { readText } from "#files";
import { checkArguments, string } from "../core/arguments.ts";
import { DataError } from "../core/errors.ts";
import { type Given, list, options as optionsOf, text } from "../core/options.ts";
import { readSafetensors } from "../io/safetensors.ts";
import { inputColumns, inputTable } from "./columns.ts";
import { parseCsv } from "./csv.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";
import { idxInputs } from "./idx-dataset.ts";
import { npyDataset, npzArrays } from "./numpy.ts";
import { parquetTable } from "./parquet.ts";
import { missing } from "./rows.ts";

const record = optionsOf("inputs", "data.inputsDataset", {
  /** The columns of a CSV file that are inputs, found by name, in this order; all of them unless given. */
  columns: list(text).optional(),
  /** Texts of a CSV file that stand for a missing value, and what becomes of it. */
  missing: missing.optional(),
  /** Columns of a CSV file that are texts, as `csvDataset` reads them. */
  categorical: list(text).optional(),
});
export type InputsOptions = Given<typeof record>;
const call = record.call({ path: string });

/**
 * A dataset of a file's inputs: `.csv`, numbers under a header, and `.parquet` alike; `.safetensors` and `.npz`, their tensors by name, one of them `inputs`; `.npy`, the inputs; IDX (`…ubyte`, `.idx`, either with `.gz`), each sample
 * flat: unsigned bytes standardised as MNIST's images, other elements as they are. Throws DataError for another kind of file, and CheckpointError for a damaged safetensors file.
 */
export function inputsDataset(path: string, options: InputsOptions = {}): Dataset {
  checkArguments(call, arguments);
  const name = path.split(/[\\/]/).at(-1)!;
  if (/\.(csv|parquet)$/.test(name)) {
    const table = name.endsWith(".csv") ? parseCsv(path, readText(path)) : parquetTable(path);
    return inputTable(path, table, { ...options, columns: options.columns ?? inputColumns(path, table) });
  }
  if (name.endsWith(".npy")) return npyDataset({ inputs: path });
  if (/(ubyte|\.idx\d?)(\.gz)?$/.test(name)) return arrayDataset(name, { inputs: idxInputs(path) });
  if (/\.(npz|safetensors)$/.test(name)) {
    const tensors = name.endsWith(".npz") ? npzArrays(path) : readSafetensors(path).tensors;
    if (tensors.has("inputs")) return arrayDataset(name, Object.fromEntries(tensors));
    throw new DataError({
      where: path,
      problem: "it holds no inputs",
      got: [...tensors.keys()].join(", ") || "no tensors",
      expected: "a tensor named inputs, [samples, ...]",
    });
  }
  throw new DataError({
    where: path,
    problem: "not a kind of file that inputs come in",
    expected: ".csv, .parquet, .npy, .npz, .safetensors, or IDX (…ubyte, .idx, also with .gz)",
  });
}
