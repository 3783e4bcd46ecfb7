// A program made again to be replayed: in memory, where it writes nothing.
import { ConfigError } from "../core/errors.ts";
import type { DataLoader } from "../data/loader.ts";
import type { TrainerOptions } from "../train/contract.ts";
import { listOf } from "../train/evaluate.ts";
import type { Fitting, Rebuild } from "../train/replay.ts";

/** A program that is there to be run. */
export interface Remade {
  readonly trainer: Fitting;
  readonly train: DataLoader;
  readonly validations: readonly DataLoader[];
}

/** Makes a program again, without folder, checkpoints and loggers. Throws ConfigError, naming `where`, for one that has nothing to train on. */
export function remake(where: string, rebuild: Rebuild, changes: Partial<TrainerOptions>): Remade {
  const { backend, threads, ...others } = changes;
  const { trainer, train, val } = rebuild({
    logging: { logLevel: "warn" },
    ...others,
    // Another backend may have none.
    ...(backend !== undefined && { backend, audit: undefined }),
    ...(threads !== undefined && { threads }),
    modelDir: undefined,
    checkpoint: null,
    loggers: [],
  });
  if (train) return { trainer, train, validations: listOf(val ?? train.validation) };
  throw new ConfigError({ where, problem: "there is no loader to replay with", got: "no train" });
}
