// The runs that laws are tested on as a whole: the MNIST preset's model and options, a small transformer with everything that draws or
// reduces, and a small convolutional network. Each is short enough to be run dozens of times.
import { join } from "node:path";
import { type DataLoader, dataLoader } from "../../src/data/loader.ts";
import { mnistDataset } from "../../src/data/mnist.ts";
import { textWindows } from "../../src/data/text.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import { accuracy } from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { trainerOptions } from "../../src/train/config/build.ts";
import { loadConfig } from "../../src/train/config/parse.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { root } from "./sources.ts";

/** A run in short: a Trainer with changed options, its data, and how many steps it takes. */
export interface ShortRun {
  readonly steps: number;
  trainer(changes?: Partial<TrainerOptions>): Trainer;
  train(): DataLoader;
  validation(): DataLoader;
}

const silent = { logging: { logLevel: "silent" }, loggers: [], backend: "wasm", threads: 1 } as const;

/** Twenty windows, five batches an epoch: eight steps cross its border. */
const text = "One text that is short, and yet has some two dozen characters: enough to tell apart what follows what.";
const windows = (split: "train" | "validation") =>
  textWindows("tale", text.repeat(3), { context: 8, stride: 12, validationFraction: 0.2, split });

const transformer: ShortRun = {
  steps: 8,
  trainer: (changes) =>
    new Trainer({
      seed: 11,
      model: () => nn.gpt({ vocabulary: new Set(text).size, context: 8, width: 16, heads: 2, layers: 2, dropout: 0.1 }),
      loss: crossEntropy,
      metrics: { accuracy: accuracy() },
      optimizer: (model) => optim.adamW(model.parameters(), { learningRate: 0.003, weightDecay: 0.1 }),
      schedulers: optim.cosineDecayLR({ initialLearningRate: 0.003, endLearningRate: 0.0003, totalIters: 8 }),
      precision: { maxGradientNorm: 1 },
      loop: { numSteps: 8 },
      ...silent,
      ...changes,
    }),
  train: () => dataLoader(windows("train"), { batchSize: 4, shuffle: true }),
  validation: () => dataLoader(windows("validation"), { batchSize: 3 }),
};

let images: ReturnType<typeof mnistDataset> | undefined;
const digits = () => {
  images ??= mnistDataset("test");
  return images;
};

/** The preset as it is, for six steps on the smaller of MNIST's files. */
const mlp: ShortRun = {
  steps: 6,
  trainer: (changes) =>
    new Trainer({
      ...trainerOptions(loadConfig(join(root, "src/presets/mnist-mlp.yaml"))),
      modelDir: undefined,
      checkpoint: undefined,
      config: undefined,
      loop: { numSteps: 6 },
      ...silent,
      ...changes,
    }),
  train: () => dataLoader(digits(), { batchSize: 64, shuffle: true }),
  validation: () => dataLoader({ ...digits(), size: 100 }, { batchSize: 64 }),
};

/** A convolutional network, for what its own ops might do. */
export const cnnRun: ShortRun = {
  steps: 4,
  trainer: (changes) =>
    new Trainer({
      seed: 13,
      model: () => nn.cnn({ input: [1, 28, 28], channels: [3, 4], classes: 10, dropout: 0.1 }),
      loss: crossEntropy,
      metrics: { accuracy: accuracy() },
      optimizer: (model) => optim.sgd(model.parameters(), { learningRate: 0.1, momentum: 0.9 }),
      loop: { numSteps: 4 },
      ...silent,
      ...changes,
    }),
  train: () => dataLoader({ ...digits(), size: 48 }, { batchSize: 16, shuffle: true }),
  validation: () => dataLoader({ ...digits(), size: 20 }, { batchSize: 16 }),
};

export const shortRuns: Readonly<Record<string, ShortRun>> = { mlp, transformer };
