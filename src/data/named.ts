// Tables in validation and prediction: their inputs' columns are found by the names that the model was trained on, whatever their order in the file.
import type { HostArray } from "../core/array.ts";
import { makeArray } from "../core/dtype.ts";
import { DataError } from "../core/errors.ts";
import type { TableState } from "./dataset.ts";
import type { DataLoader, LoadedBatch } from "./loader.ts";

/** What a model was trained on, where that was a table. */
export interface TrainedOn {
  /** The names of the inputs' columns. */
  readonly columns?: readonly string[];
  /** How its columns become inputs, where that was learned. */
  readonly table?: TableState;
}

/**
 * The loader, with its inputs by what was learned of the table that the model was trained on, and its columns in the order that the model was trained on; columns that it wasn't trained on are left out. Throws DataError where one is
 * missing. Where either side names no columns they are taken as they come.
 */
export function byName(trained: TrainedOn, given: DataLoader): DataLoader {
  const { columns: wanted, table } = trained;
  const loader = table && given.table ? given.table.under(table) : given;
  const { columns: own, name } = loader;
  if (table && own && !given.table) {
    throw new DataError({
      where: `loader ${name}`,
      problem: "a table whose numbers are ready, for a model that was trained on numbers that were learned",
      got: own.join(", "),
      expected: "the file itself: data.csvDataset, data.parquetDataset or data.inputsDataset",
    });
  }
  if (!own || !wanted || own.join("\n") === wanted.join("\n")) return loader;
  const places = new Map(own.map((column, place) => [column, place]));
  if (wanted.some((column) => !places.has(column))) {
    throw new DataError({
      where: `loader ${name}`,
      problem: "columns that the model was trained on are missing",
      got: own.join(", "),
      expected: wanted.join(", "),
      hint: "columns are found by their names in the header line",
    });
  }
  const positions = wanted.map((column) => places.get(column)!);
  return {
    ...loader,
    columns: wanted,
    async *batches(epoch, start, how) {
      for await (const batch of loader.batches(epoch, start, how)) yield reordered(batch, positions);
    },
  };
}

function reordered(batch: LoadedBatch, positions: readonly number[]): LoadedBatch {
  const { inputs, ...others } = batch.tensors;
  return { ...batch, indices: batch.indices, tensors: { ...others, inputs: picked(inputs, positions) } };
}

/** The columns of [rows, columns] at some positions, in their order. */
function picked({ data, shape: [rows, width], dtype }: HostArray, positions: readonly number[]): HostArray {
  const out = makeArray(dtype, rows * positions.length);
  for (let row = 0, to = 0; row < rows; row++)
    for (const position of positions) out[to++] = data[row * width + position];
  return { data: out, shape: [rows, positions.length], dtype };
}
