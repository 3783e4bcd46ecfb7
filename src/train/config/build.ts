// From a config to what it names: the Trainer's options, the Trainer, and its data loaders.
import { checkArguments, isRecord, kind, signature } from "../../core/arguments.ts";
import { ConfigError, ShapeError } from "../../core/errors.ts";
import type { DataLoader } from "../../data/loader.ts";
import type { Module } from "../../nn/module.ts";
import type { TrainerOptions } from "../contract.ts";
import { Trainer } from "../trainer.ts";
import { callbacks, loaders, loggers, losses, metrics, models, optimizers, schedulers } from "./families.ts";
import { fitValidations } from "./loaders.ts";
import { configKind, placeOf } from "./parse.ts";
import type { Config } from "./schema.ts";

const optionsCall = signature("trainerOptions", { config: configKind });
const buildCall = signature("buildTrainer", {
  config: configKind,
  "changes?": kind("a record of the Trainer's options", isRecord),
});

/** What a Trainer is constructed with under a config. */
export function trainerOptions(config: Config): TrainerOptions {
  checkArguments(optionsCall, arguments);
  const { init } = config.trainer;
  const { model, loss, optimizer, schedulers: given } = init;
  return {
    seed: init.seed,
    modelDir: init.modelDir,
    model: () => located(config, () => models.make(model)),
    loss: loss && losses.make(loss),
    metrics: init.metrics.map((metric) => metrics.make(metric)),
    optimizer: optimizer && ((built) => optimizers.make(optimizer, built)),
    schedulers: given.length > 0 ? given.map((choice) => schedulers.make(choice)) : undefined,
    optimizers: init.optimizers?.map(({ optimizer: chosen, schedulers: own, ...entry }) => ({
      ...entry,
      optimizer: (part: Module) => optimizers.make(chosen, part),
      schedulers: own.map((choice) => schedulers.make(choice)),
    })),
    precision: init.precision,
    loop: init.loop,
    checkpoint: init.checkpoint,
    logging: init.logging,
    callbacks: init.callbacks.map((choice) => callbacks.make(choice)),
    loggers: init.loggers.map((choice) => loggers.make(choice)),
    backend: init.backend,
    threads: init.threads,
    audit: init.audit,
    deterministic: init.deterministic,
    fastDevRun: init.fastDevRun,
    config,
  };
}

/** What `body` makes; a ConfigError that names a path of the config is given its line. */
function located<T>(config: Config, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof ShapeError) {
      const option = error.where.split(".").at(-1)!;
      const path = ["trainer", "init", "model", ...(Object.hasOwn(config.trainer.init.model, option) ? [option] : [])];
      const { where = "trainer.init.model", position } = placeOf(config, path) ?? {};
      throw new ConfigError({ ...error, where: `${where}: ${error.where}`, position, cause: error });
    }
    if (!(error instanceof ConfigError) || error.position || !error.where.startsWith("trainer.")) throw error;
    throw new ConfigError({ ...error, ...placeOf(config, error.where.split(".")) });
  }
}

/** The Trainer of a config, and the loaders of its `fit`: `val` is the first of `vals`. `changes` replace options: a replay has no loggers and no folder. */
export function buildTrainer(
  config: Config,
  changes: Partial<TrainerOptions> = {},
): { trainer: Trainer; train?: DataLoader; val?: DataLoader; vals: readonly DataLoader[] } {
  checkArguments(buildCall, arguments);
  const trainer = new Trainer({ ...trainerOptions(config), ...changes });
  const { fit } = config.trainer;
  const train = fit && loaders.make(fit.trainDataloader);
  const vals = fit ? fitValidations(fit, train) : [];
  return { trainer, train, val: vals[0], vals };
}
