// What a module that a worker imports must be. It is handed the library, since a bare name means nothing where no bundler or import map is.

import type { DataLoader } from "../data/loader.ts";
import type * as core from "../engine.ts";
import type * as all from "../index.ts";
import type { TrainerOptions } from "../train/contract.ts";
import type { Loaders } from "../train/run.ts";

/** What a training is made of. */
export interface TrainingParts {
  readonly trainer: TrainerOptions;
  readonly train: DataLoader;
  readonly val?: Loaders;
}

/** The default export of a module for `startTraining`. */
export type TrainingModule<O = unknown> = (library: typeof all, options: O) => TrainingParts | Promise<TrainingParts>;

/** The default export of a module for `startProgram`: its functions by name, which are given copies, and may give tensors. */
export type ProgramModule<O = unknown> = (
  library: typeof core,
  options: O,
) =>
  | Readonly<Record<string, (...args: never[]) => unknown>>
  | Promise<Readonly<Record<string, (...args: never[]) => unknown>>>;
