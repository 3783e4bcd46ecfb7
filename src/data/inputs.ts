// Inputs alone, from a file: what a trained model is asked about. The file's name says what it is.

import { read, readText } from "#files";
import type { HostArray } from "../core/array.ts";
import { DataError } from "../core/errors.ts";
import { checkKeys } from "../core/keys.ts";
import { readSafetensors } from "../io/safetensors.ts";
import { csvArrays, parseCsv } from "./csv.ts";
import { arrayDataset, type Dataset } from "./dataset.ts";
import { parseIdx } from "./idx.ts";
import { standardise } from "./mnist.ts";

export interface InputsOptions {
  /** The columns of a CSV file that are inputs, in this order; all of them unless given. */
  readonly columns?: readonly string[];
}

/**
 * A dataset of a file's inputs: `.csv`, numbers under a header; `.safetensors`, its tensors by name, one of them `inputs`; IDX images (`…ubyte`, `.idx`), flat and
 * standardised as MNIST's. Throws DataError for another kind of file, and CheckpointError for a damaged safetensors file.
 */
export function inputsDataset(path: string, options: InputsOptions = {}): Dataset {
  checkKeys("inputsDataset", options, ["columns"]);
  const { columns } = options;
  const name = path.split(/[\\/]/).at(-1)!;
  if (name.endsWith(".csv")) return arrayDataset(name, { inputs: csvInputs(path, columns) });
  if (/ubyte$|\.idx\d?$/.test(name)) {
    const { data, shape } = parseIdx(path, read(path));
    const [size, ...sample] = shape;
    const width = sample.reduce((product, extent) => product * extent, 1);
    return arrayDataset(name, { inputs: { data: standardise(data), shape: [size, width], dtype: "float32" } });
  }
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
    expected: ".csv, .safetensors, or IDX (…ubyte)",
  });
}

function csvInputs(path: string, columns: readonly string[] | undefined): HostArray {
  const table = parseCsv(path, readText(path));
  const inputs = columns ?? table.header;
  // There is no target here: an input stands in for it, and is dropped.
  return csvArrays(path, table, { inputs, target: inputs[0] }).inputs;
}
