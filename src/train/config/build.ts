// From a config to what it names: the model, loss, metrics, optimizer, schedules, callbacks, loggers and data loaders.
import { type DataLoader, dataLoader } from "../../data/loader.ts";
import { mnistDataset } from "../../data/mnist.ts";
import { dropout as dropoutLayer, gelu, linear, relu, sequential, sigmoid, tanh } from "../../nn/index.ts";
import { crossEntropy, type Loss, mse } from "../../nn/losses.ts";
import { accuracy, type Metric } from "../../nn/metrics.ts";
import type { Module } from "../../nn/module.ts";
import * as optim from "../../optim/index.ts";
import type { Schedule } from "../../optim/schedulers.ts";
import { CheckLoss } from "../callbacks/check-loss.ts";
import type { Callback, Logger } from "../hooks.ts";
import { CSVLogger } from "../loggers/csv.ts";
import { JSONLLogger } from "../loggers/jsonl.ts";
import { ProgressLogger } from "../loggers/progress.ts";
import { TensorBoardLogger } from "../loggers/tensorboard.ts";
import { Trainer } from "../trainer.ts";
import type { TrainerOptions } from "./options.ts";
import type { Config, LoaderConfig, ModelConfig, OptimizerConfig, ScheduleConfig } from "./schema.ts";

const losses: Record<NonNullable<Config["trainer"]["init"]["loss"]>, Loss> = { cross_entropy: crossEntropy, mse };
const metrics: Record<Config["trainer"]["init"]["metrics"][number], () => Metric> = { accuracy };
const loggers: Record<Config["trainer"]["init"]["loggers"][number]["class"], () => Logger> = {
  ProgressLogger: () => new ProgressLogger(),
  CSVLogger: () => new CSVLogger(),
  JSONLLogger: () => new JSONLLogger(),
  TensorBoardLogger: () => new TensorBoardLogger(),
};
const callbacks: Record<Config["trainer"]["init"]["callbacks"][number]["class"], () => Callback> = {
  CheckLoss: () => new CheckLoss(),
};

const activations: Record<ModelConfig["activation"], () => Module> = { relu, gelu, tanh, sigmoid };

/** The model that a config names. Draws its weights from the ambient stream. */
export function buildModel(config: ModelConfig): Module {
  const { sizes, dropout, activation, bias } = config;
  const layers = sizes.slice(1).flatMap((size, i) => {
    const affine = linear(sizes[i], size, { bias });
    if (i === sizes.length - 2) return [affine];
    return [affine, activations[activation](), ...(dropout > 0 ? [dropoutLayer(dropout)] : [])];
  });
  return sequential(...layers);
}

/** The optimizer that a config names, over all of a model's parameters. */
export function buildOptimizer({ class: name, ...options }: OptimizerConfig, model: Module): optim.Optimizer {
  const parameters = model.parameters();
  if (name === "SGD") return optim.sgd(parameters, options);
  return name === "Adam" ? optim.adam(parameters, options) : optim.adamW(parameters, options);
}

/** The schedule that a config names. */
export function buildSchedule(config: ScheduleConfig): Schedule {
  switch (config.class) {
    case "ConstantLR":
      return optim.constantLR(config);
    case "LinearLR":
      return optim.linearLR(config);
    case "CosineDecayLR":
      return optim.cosineDecayLR(config);
    case "SequentialLR":
      return optim.sequentialLR({ ...config, schedulers: config.schedulers.map(buildSchedule) });
  }
}

/** The loader that a config names. Reads its data. Throws DataError where they are missing or not what they should be. */
export function buildLoader({ split, batchSize, shuffle, dropLast, directory }: LoaderConfig): DataLoader {
  return dataLoader(mnistDataset(split, { directory }), { batchSize, shuffle, dropLast });
}

/** What a Trainer is constructed with under a config. */
export function trainerOptions(config: Config): TrainerOptions {
  const { init } = config.trainer;
  const { model, loss, optimizer, schedulers } = init;
  return {
    seed: init.seed,
    modelDir: init.modelDir,
    model: () => buildModel(model),
    loss: loss && losses[loss],
    metrics: Object.fromEntries(init.metrics.map((name) => [name, metrics[name]()])),
    optimizer: optimizer && ((built) => buildOptimizer(optimizer, built)),
    schedulers: schedulers.length > 0 ? schedulers.map(buildSchedule) : undefined,
    precision: init.precision,
    loop: init.loop,
    checkpoint: init.checkpoint,
    logging: init.logging,
    callbacks: init.callbacks.map(({ class: name }) => callbacks[name]()),
    loggers: init.loggers.map(({ class: name }) => loggers[name]()),
    backend: init.backend,
    threads: init.threads,
    deterministic: init.deterministic,
    config,
  };
}

/** The Trainer of a config, and the loaders of its `fit`. `changes` replace options: a replay has no loggers and no folder. */
export function buildTrainer(
  config: Config,
  changes: Partial<TrainerOptions> = {},
): { trainer: Trainer; train?: DataLoader; val?: DataLoader } {
  const trainer = new Trainer({ ...trainerOptions(config), ...changes });
  const { fit } = config.trainer;
  return {
    trainer,
    train: fit && buildLoader(fit.trainDataloader),
    val: fit?.valDataloader && buildLoader(fit.valDataloader),
  };
}
