// The data loaders that a config may name: `train_dataloader: {name: mnist, …}`.
import { z } from "zod";
import { exists, readText } from "#files";
import { ConfigError } from "../../core/errors.ts";
import { csvDataset, inputColumns } from "../../data/columns.ts";
import { parseCsv } from "../../data/csv.ts";
import type { Dataset } from "../../data/dataset.ts";
import { idxDataset } from "../../data/idx-dataset.ts";
import { type DataLoader, dataLoader } from "../../data/loader.ts";
import { mnistDataset } from "../../data/mnist.ts";
import { mobyDickDataset } from "../../data/moby-dick.ts";
import { randomSplit } from "../../data/split.ts";
import { textDataset } from "../../data/text.ts";
import { Catalog, type Choice } from "./catalog.ts";
import { count, expected, flag, list, record, seed, text, word } from "./values.ts";

const share = z
  .number(expected("a number in (0, 1)"))
  .gt(0, expected("a number in (0, 1)"))
  .lt(1, expected("a number in (0, 1)"));
const base = {
  batchSize: count,
  shuffle: flag.optional(),
  dropLast: flag.optional(),
  shuffleSeed: seed.optional(),
  validationSplit: share.optional(),
  randomSplit: record({
    parts: list(z.number(expected("numbers of samples, or shares"))),
    part: z.int(expected("an integer ≥ 0")).min(0, expected("an integer ≥ 0")),
    seed: seed.optional(),
  }).optional(),
};
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

/** Validation data of a config: of a CSV file whose inputs aren't named, the columns that are trained on, by name. Throws ConfigError where they are to be split again. */
export function makeValidation(choice: Choice<"name">, train: Choice<"name"> | undefined): DataLoader {
  if (choice.validationSplit !== undefined) {
    throw new ConfigError({
      where: `val_dataloader ${choice.name}: validation_split`,
      problem: "validation data have none set aside",
      got: String(choice.validationSplit),
      hint: "give it to train_dataloader, and no val_dataloader; or choose a part by random_split",
    });
  }
  const columns = choice.name === "csv" && choice.inputs === undefined ? trainedColumns(train) : undefined;
  return loaders.make(columns ? { ...choice, inputs: columns } : choice);
}

/** The loaders that a config's `fit` validates on; `train`: of its training data, where they are made already. Throws ConfigError where validation data are given, and set aside of the training data too. */
export function fitValidations(
  { trainDataloader, valDataloader, valDataloaders = [] }: FitLoaders,
  train?: DataLoader,
): readonly DataLoader[] {
  const choices = [...(valDataloader ? [valDataloader] : []), ...valDataloaders];
  if (trainDataloader.validationSplit === undefined)
    return choices.map((choice) => makeValidation(choice, trainDataloader));
  if (choices.length === 0) return [(train ?? loaders.make(trainDataloader)).validation!];
  throw new ConfigError({
    where: "trainer.fit",
    problem: "validation data twice",
    got: "val_dataloader, and train_dataloader: {validation_split}",
    expected: "one of them",
  });
}

interface FitLoaders {
  readonly trainDataloader: Choice<"name">;
  readonly valDataloader?: Choice<"name">;
  readonly valDataloaders?: readonly Choice<"name">[];
}

/** What every loader of a config takes. */
type Common = z.output<z.ZodObject<typeof base>>;

/** Each entry reads its data when it is made. Throws DataError where they are missing or not what they should be. */
export const loaders = new Catalog<DataLoader, void, "name">("dataloader", "name", "a data loader: a map with a name");

/** Adds a dataset with the options that every loader takes beside its own. */
function add<S extends z.ZodRawShape>(
  name: string,
  shape: S,
  make: (options: Omit<z.output<z.ZodObject<S>>, keyof Common>) => Dataset,
): void {
  loaders.add(name, { ...shape, ...base }, (given) => {
    const {
      batchSize,
      shuffle,
      dropLast,
      shuffleSeed,
      validationSplit,
      randomSplit: split,
      ...own
    } = given as unknown as Common;
    const whole = make(own as never);
    const dataset = split ? partOf(whole, split) : whole;
    return dataLoader(dataset, { batchSize, shuffle, dropLast, shuffleSeed, validationSplit });
  });
}

function partOf(dataset: Dataset, { parts, part, seed }: NonNullable<Common["randomSplit"]>): Dataset {
  const found = randomSplit(dataset, parts, { seed })[part];
  if (found) return found;
  throw new ConfigError({
    where: `dataset ${dataset.name}: random_split.part`,
    problem: "no such part",
    got: String(part),
    expected: `an integer in [0, ${parts.length})`,
  });
}

add("mnist", { split: word(["train", "test"]), directory: text.optional() }, ({ split, directory }) =>
  mnistDataset(split, { directory }),
);
add("moby_dick", { ...windows, directory: text.optional() }, mobyDickDataset);
add(
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
  },
  ({ file, ...options }) => csvDataset(file, options),
);
add("idx", { inputs: text, targets: text }, idxDataset);
add("text", { file: text, ...windows }, ({ file, ...options }) => textDataset(file, options));
