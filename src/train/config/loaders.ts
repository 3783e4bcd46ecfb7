// Validation and prediction on tables: the columns that are inputs are those that a config trains on.
import { exists, readText } from "#files";
import { ConfigError } from "../../core/errors.ts";
import { inputColumns } from "../../data/columns.ts";
import { parseCsv } from "../../data/csv.ts";
import type { DataLoader } from "../../data/loader.ts";
import type { Choice } from "./catalog.ts";
import { loaders } from "./families.ts";

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
