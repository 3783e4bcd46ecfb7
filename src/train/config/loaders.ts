// The data loaders that a config may name: `train_dataloader: {name: mnist, …}`.
import { z } from "zod";
import { exists, readText } from "#files";
import { csvDataset, inputColumns } from "../../data/columns.ts";
import { parseCsv } from "../../data/csv.ts";
import { idxDataset } from "../../data/idx-dataset.ts";
import { type DataLoader, dataLoader } from "../../data/loader.ts";
import { mnistDataset } from "../../data/mnist.ts";
import { mobyDickDataset } from "../../data/moby-dick.ts";
import { textDataset } from "../../data/text.ts";
import { Catalog, type Choice } from "./catalog.ts";
import { count, expected, flag, list, record, seed, text, word } from "./values.ts";

const base = { batchSize: count, shuffle: flag.optional(), dropLast: flag.optional(), shuffleSeed: seed.optional() };
const share = z
  .number(expected("a number in (0, 1)"))
  .gt(0, expected("a number in (0, 1)"))
  .lt(1, expected("a number in (0, 1)"));
const windows = {
  split: word(["train", "validation"]).optional(),
  context: count,
  validationFraction: share.optional(),
  stride: count.optional(),
};

/** Where a config trains on a CSV file: the columns that are inputs, as it names them or as the file's header does. Undefined for other data, and for a file that isn't here. */
export function trainedColumns(train: Choice<"name"> | undefined): readonly string[] | undefined {
  const { name, file, inputs, target } = (train ?? {}) as Partial<Record<"name" | "file" | "target", string>> & {
    readonly inputs?: readonly string[];
  };
  if (name !== "csv" || file === undefined || inputs) return inputs;
  return exists(file) ? inputColumns(file, parseCsv(file, readText(file)), target?.trim()) : undefined;
}

/** Validation data of a config: of a CSV file whose inputs aren't named, the columns that are trained on, by name. */
export function makeValidation(choice: Choice<"name">, train: Choice<"name"> | undefined): DataLoader {
  const columns = choice.name === "csv" && choice.inputs === undefined ? trainedColumns(train) : undefined;
  return loaders.make(columns ? { ...choice, inputs: columns } : choice);
}

/** Each entry reads its data when it is made. Throws DataError where they are missing or not what they should be. */
export const loaders = new Catalog<DataLoader, void, "name">("dataloader", "name", "a data loader: a map with a name")
  .add(
    "mnist",
    { split: word(["train", "test"]), ...base, directory: text.optional() },
    ({ split, directory, ...options }) => dataLoader(mnistDataset(split, { directory }), options),
  )
  .add(
    "moby_dick",
    { ...windows, ...base, directory: text.optional() },
    ({ directory, batchSize, shuffle, dropLast, shuffleSeed, ...options }) =>
      dataLoader(mobyDickDataset({ ...options, directory }), { batchSize, shuffle, dropLast, shuffleSeed }),
  )
  .add(
    "csv",
    {
      file: text,
      inputs: list(text).optional(),
      target: text,
      classes: list(text).optional(),
      missing: record({
        texts: list(z.string(expected("text"))),
        value: z.union([z.number(expected("a number, or drop")), z.literal("drop")], expected("a number, or drop")),
      }).optional(),
      ...base,
    },
    ({ file, batchSize, shuffle, dropLast, shuffleSeed, ...options }) =>
      dataLoader(csvDataset(file, options), { batchSize, shuffle, dropLast, shuffleSeed }),
  )
  .add("idx", { inputs: text, targets: text, ...base }, ({ inputs, targets, ...options }) =>
    dataLoader(idxDataset({ inputs, targets }), options),
  )
  .add("text", { file: text, ...windows, ...base }, ({ file, batchSize, shuffle, dropLast, shuffleSeed, ...options }) =>
    dataLoader(textDataset(file, options), { batchSize, shuffle, dropLast, shuffleSeed }),
  );
