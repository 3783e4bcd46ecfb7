// A small run for tests of training: 70 samples of two classes, a network with dropout, a few steps an epoch.

import { arrayDataset } from "../../src/data/dataset.ts";
import { type DataLoader, dataLoader, type LoaderOptions } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import { accuracy } from "../../src/nn/metrics.ts";
import { summarizeScalar, summarizeTensor } from "../../src/nn/summarize.ts";
import * as optim from "../../src/optim/index.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { Trainer } from "../../src/verify/trainer.ts";

const samples = 70;
const inputs = Float32Array.from({ length: samples * 4 }, (_, i) => ((i * 37) % 23) / 23 - 0.5);
const targets = Int32Array.from({ length: samples }, (_, i) => (inputs[i * 4] > 0 ? 1 : 0));
export const toySamples = arrayDataset("toy", {
  inputs: { data: inputs, shape: [samples, 4], dtype: "float32" },
  targets: { data: targets, shape: [samples], dtype: "int32" },
});

/** Four steps an epoch of 16 shuffled samples each. */
export const toyTrain = (options: Partial<LoaderOptions> = {}): DataLoader =>
  dataLoader(toySamples, { batchSize: 16, shuffle: true, ...options });

/** Three batches, the last one short. */
export const toyTest = (): DataLoader => dataLoader(toySamples, { batchSize: 32 });

/** One layer that summarises its outputs whole, and their largest. */
export class Summarizing extends nn.Module {
  readonly layer = nn.linear(4, 2);
  override forward(x: Tensor) {
    const outputs = this.layer.forward(x);
    summarizeScalar("mine/largest", outputs.max());
    summarizeTensor("mine/outputs", outputs);
    return outputs;
  }
}

export const toyModel = () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.dropout(0.2), nn.linear(8, 2));

/** Three epochs of 4 steps under seed 7, silent, on reference. */
export const toyOptions = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
  seed: 7,
  model: toyModel,
  loss: crossEntropy,
  metrics: { accuracy: accuracy() },
  optimizer: (model) => optim.adamW(model.parameters(), { learningRate: 0.01 }),
  loop: { numEpochs: 3 },
  logging: { logLevel: "silent" },
  backend: "reference",
  ...changes,
});

export const toyTrainer = (changes: Partial<TrainerOptions> = {}): Trainer => new Trainer(toyOptions(changes));
