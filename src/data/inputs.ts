// Inputs alone, from a file: what a trained model is asked about. The file's name says what it is.

import { readText } from "#files";
import { checkArguments, string } from "../core/arguments.ts";
import { DataError } from "../core/errors.ts";
import { type Given, list, options as optionsOf, text } from "../core/options.ts";
import { readSafetensors } from "../io/safetensors.ts";
import { csvColumns, inputColumns, missing } from "./columns.ts";
import { parseCsv } from "./csv.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";
import { idxInputs } from "./idx-dataset.ts";

const record = optionsOf(
  "inputs",
  {
    /** The columns of a CSV file that are inputs, found by name, in this order; all of them unless given. */
    columns: list(text).optional(),
    /** Texts of a CSV file that stand for a missing number, and what becomes of it. */
    missing: missing.optional(),
  },
  "data.inputsDataset",
);
export type InputsOptions = Given<typeof record>;
const call = record.call({ path: string });

/**
 * A dataset of a file's inputs: `.csv`, numbers under a header; `.safetensors`, its tensors by name, one of them `inputs`; IDX (`…ubyte`, `.idx`, either with `.gz`), each sample
 * flat: unsigned bytes standardised as MNIST's images, other elements as they are. Throws DataError for another kind of file, and CheckpointError for a damaged safetensors file.
 */
export function inputsDataset(path: string, options: InputsOptions = {}): Dataset {
  checkArguments(call, arguments);
  const name = path.split(/[\\/]/).at(-1)!;
  if (name.endsWith(".csv")) {
    const table = parseCsv(path, readText(path));
    const { columns = inputColumns(path, table), missing } = options;
    return { ...arrayDataset(name, { inputs: csvColumns(path, table, { columns, missing }) }), columns };
  }
  if (/(ubyte|\.idx\d?)(\.gz)?$/.test(name)) return arrayDataset(name, { inputs: idxInputs(path) });
  if (name.endsWith(".safetensors")) {
    const { tensors } = readSafetensors(path);
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
    expected: ".csv, .safetensors, or IDX (…ubyte, .idx, also with .gz)",
  });
}
