// The variational autoencoder: its parameters and draws, its loss against the formula in float64, its samples, what it refuses; and that a validation tells the parts of the loss.
import { beforeAll, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../src/core/errors.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { mean } from "../../src/nn/metrics.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor } from "../../src/tensor/functions.ts";
import { toyTrainer } from "../support/toy.ts";

beforeAll(() => setDefaultBackend("reference"));

const sizes = { inputs: 6, hidden: [5, 4], latent: 2 };
const rows = Array.from({ length: 3 }, (_, i) => Array.from({ length: 6 }, (_, j) => ((i * 7 + j * 5) % 11) / 10));

test("its parameters, and a draw for each of them", () => {
  const stream = manualSeed(1);
  const model = nn.vae(sizes);
  const shapes = model.namedParameters().map(([path, { shape }]) => `${path} ${shape}`);
  expect(shapes.filter((text) => text.includes("weight"))).toEqual([
    "encoder.0.weight 5,6",
    "encoder.2.weight 4,5",
    "encoder.4.weight 4,4",
    "decoder.0.weight 4,2",
    "decoder.2.weight 5,4",
    "decoder.4.weight 6,5",
  ]);
  const drawn = model.parameters().reduce((sum, { size }) => sum + size, 0);
  expect(stream.position).toBe(drawn);
  model.forward(tensor(rows));
  model.eval().forward(tensor(rows));
  expect(stream.position).toBe(drawn + 2 * 3 * 2);
});

test("the loss is the bound: cross entropy of all pixels, and the divergence, a sample", async () => {
  manualSeed(2);
  const model = nn.vae(sizes);
  const { loss, outputs, reconstruction, divergence } = model.forward(tensor(rows).reshape([3, 2, 3]));
  expect(outputs.shape).toEqual([3, 6]);
  const logits = await outputs.data();
  const encoded = await (model.encoder.forward(tensor(rows)) as ReturnType<typeof tensor>).data();
  let [missed, apart] = [0, 0];
  rows.flat().forEach((target, i) => {
    missed += (Math.log1p(Math.exp(logits[i])) - target * logits[i]) / 3;
  });
  for (let row = 0; row < 3; row++)
    for (let i = 0; i < 2; i++) {
      const [mu, logVariance] = [encoded[row * 4 + i], encoded[row * 4 + 2 + i]];
      apart += (mu * mu + Math.exp(logVariance) - 1 - logVariance) / 6;
    }
  expect(await reconstruction.item()).toBeCloseTo(missed, 5);
  expect(await divergence.item()).toBeCloseTo(apart, 5);
  expect(await loss.item()).toBe(Math.fround((await reconstruction.item()) + (await divergence.item())));
});

test("samples are probabilities, of latent numbers that are drawn", async () => {
  const stream = manualSeed(3);
  const model = nn.vae(sizes);
  const before = stream.position;
  const samples = model.sample(4);
  expect(samples.shape).toEqual([4, 6]);
  expect(stream.position - before).toBe(4 * 2);
  for (const value of await samples.data()) expect(value > 0 && value < 1).toBe(true);
});

test("samples of another size, and sizes that aren't, are refused", () => {
  const model = nn.vae(sizes);
  expect(() => model.forward(tensor([[1, 2, 3]]))).toThrow(ShapeError);
  expect(() => model.forward(tensor([[1, 2, 3]]))).toThrow(/got \[1, 3\], expected \[batch, \.\.\.\] with 6/);
  expect(() => model.sample(0)).toThrow(/expected an integer ≥ 1/);
  expect(() => nn.vae({ ...sizes, hidden: [] })).toThrow(/at least one size/);
});

const data = () =>
  dataLoader(
    arrayDataset("pixels", { inputs: { data: Float32Array.from(rows.flat()), shape: [3, 6], dtype: "float32" } }),
    {
      batchSize: 2,
    },
  );

test("a validation tells what the loss is made of, by samples over batches of 2 and 1", async () => {
  const trainer = toyTrainer({
    model: () => nn.vae(sizes),
    loss: undefined,
    metrics: {},
    loop: { numSteps: 1, evalFrequency: 1 },
  });
  const { metrics } = await trainer.fit(data(), data());
  expect(Object.keys(metrics).sort()).toEqual(["divergence", "loss", "reconstruction"]);
  expect(metrics.reconstruction + metrics.divergence).toBeCloseTo(metrics.loss, 5);
  const metric = mean((outputs) => outputs.mean(), "divergence", { mode: "min" });
  const twice = toyTrainer({
    model: () => nn.vae(sizes),
    loss: undefined,
    metrics: { divergence: metric },
    loop: { numSteps: 1, evalFrequency: 1 },
  });
  const fit = twice.fit(data(), data());
  await expect(fit).rejects.toThrow(ConfigError);
  await expect(fit).rejects.toThrow(/the model says a number of this name itself/);
});
