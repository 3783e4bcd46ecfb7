// Right arguments that tests of wrong ones are made from: a tensor, a loader, a trainer, and calls of what takes none or reads files.
import * as sg from "../../src/index.ts";
import { call, type RightCall } from "./arguments.ts";

const { nn, losses, metrics, optim, data } = sg;

export const x = () =>
  sg.tensor([
    [1, 2],
    [3, 4],
  ]);

/** What it inherits isn't tried key by key. */
export const loader = (): sg.data.DataLoader => Object.create(data.dataLoader(trainable(), { batchSize: 1 }));
export const trainable = () =>
  data.arrayDataset("d", {
    inputs: { data: new Float32Array(4), shape: [2, 2], dtype: "float32" },
    targets: { data: Float32Array.of(1, 2), shape: [2, 1], dtype: "float32" },
  });
export const trainerOptions = () => ({
  seed: 1,
  model: () => nn.linear(2, 1),
  loss: losses.mse,
  metrics: { mse: metrics.mean(losses.mse, "mse", { mode: "min" }) },
  optimizer: (model: sg.nn.Module) => optim.sgd(model.parameters(), { learningRate: 0.1 }),
  precision: {},
  loop: { numSteps: 1 },
  checkpoint: null,
  logging: { logLevel: "silent" as const },
  callbacks: [],
  loggers: [],
  backend: "reference",
  threads: 1,
  deterministic: "strict" as const,
  fastDevRun: 1,
});
export const trainer = () => {
  const { fastDevRun: _, threads: __, ...options } = trainerOptions();
  return new sg.Trainer(options);
};

export const none = call(() => []);

/** Of what reads files or trains. */
export const reads = (
  refusedAs: string,
  args: RightCall["args"],
  required?: number,
  requiredKeys?: readonly string[],
) => call(args, required, { requiredKeys, refusedAs });
