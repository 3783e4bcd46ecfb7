// Validation and prediction on tables: the columns that are inputs are those that a config trains on.
import { exists, readText } from "#files";
import { ConfigError, refuse } from "../../core/errors.ts";
import { inputColumns } from "../../data/columns.ts";
import { parseCsv } from "../../data/csv.ts";
import type { InputsOptions } from "../../data/inputs.ts";
import type { DataLoader } from "../../data/loader.ts";
import { type ParquetOptions, parquetTable } from "../../data/parquet.ts";
import type { Choice } from "./catalog.ts";
import { loaders } from "./families.ts";

const isTable = ({ name }: Choice<"name">): boolean => ["csv", "parquet", "vega"].includes(name);

/** Where a config trains on a table: the columns that are inputs, as it names them or as the file's header does. Undefined for other data, and for a file that isn't here. */
export function trainedColumns(train: Choice<"name"> | undefined): readonly string[] | undefined {
  if (!train || !isTable(train)) return undefined;
  const table = train as Choice<"name"> & ParquetOptions;
  const { name, file, inputs } = table;
  if (file === undefined || inputs) return inputs;
  const read = () => (name === "csv" ? parseCsv(file, readText(file)) : parquetTable(file));
  return exists(file) ? inputColumns(file, read(), table) : undefined;
}

/** How a config that trains on a table has inputs read that are to be predicted: rows aren't dropped, since each is to be answered. */
export function trainedTable(train: Choice<"name"> | undefined): InputsOptions {
  const columns = trainedColumns(train);
  if (!train || !isTable(train)) return {};
  const { categorical, missing } = train as Choice<"name"> & ParquetOptions;
  return { columns, categorical, missing: missing?.value === "drop" ? undefined : missing };
}

/** Validation or test data of a config: of a table whose inputs aren't named, the columns that are trained on, by name. Throws ConfigError where they are to be split again. */
export function makeValidation(
  choice: Choice<"name">,
  train: Choice<"name"> | undefined,
  key = "val_dataloader",
): DataLoader {
  if (choice.validationSplit !== undefined) {
    const problem = "of data that are only looked at, none are set aside";
    const hint = "give it to train_dataloader, and no val_dataloader; or choose a part by random_split";
    refuse(
      ConfigError,
      `${key} ${choice.name}: validation_split`,
      problem,
      String(choice.validationSplit),
      undefined,
      hint,
    );
  }
  const columns = isTable(choice) && choice.inputs === undefined ? trainedColumns(train) : undefined;
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
  const got = "val_dataloader, and train_dataloader: {validation_split}";
  refuse(ConfigError, "trainer.fit", "validation data twice", got, "one of them");
}

interface FitLoaders {
  readonly trainDataloader: Choice<"name">;
  readonly valDataloader?: Choice<"name">;
  readonly valDataloaders?: readonly Choice<"name">[];
}
