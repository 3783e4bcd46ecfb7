// Data that are known beforehand: the digits that come along, Fashion-MNIST where it is installed, and a rod whose temperature has a formula.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import { type Dataset, digitsDataset, fashionMnist, fashionMnistDataset, heatEquation } from "../../src/data/index.ts";
import { root } from "../support/sources.ts";

const all = ({ size }: Dataset) => Int32Array.from({ length: size }, (_, i) => i);
function read(dataset: Dataset, width: number, indices = all(dataset)) {
  const [inputs, targets] = [new Float32Array(width * indices.length), new Int32Array(indices.length)];
  dataset.fields.inputs.read(indices, inputs);
  dataset.fields.targets.read(indices, targets);
  return { inputs, targets };
}
const countsOf = (targets: Int32Array) =>
  Array.from({ length: 10 }, (_, kind) => targets.filter((target) => target === kind).length);

test("digits: as many of each class as published, pixels in sixteenths", () => {
  const dataset = digitsDataset();
  expect(dataset.size).toBe(1797);
  const { inputs, targets } = read(dataset, 64);
  // Of optdigits.names, the testing set.
  expect(countsOf(targets)).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  expect(new Set(inputs)).toEqual(new Set(Array.from({ length: 17 }, (_, i) => i / 16)));
  expect(Array.from(inputs.subarray(0, 8), (pixel) => pixel * 16)).toEqual([0, 0, 5, 13, 9, 1, 0, 0]);
  expect(digitsDataset({ directory: `${root}src/presets` }).digests).toEqual(dataset.digests);
  expect(() => digitsDataset({ directory: root })).toThrow(DataError);
});

const folder = "/usr/share/datasets/fashion-mnist";
const missing = !existsSync(folder);
if (missing && process.env.CI) throw new Error(`no ${folder} in CI`);
test.skipIf(missing)(`Fashion-MNIST${missing ? ": dataset-fashion-mnist isn't installed" : ""}`, async () => {
  const dataset = fashionMnistDataset("test", { standardise: false });
  expect(dataset.digests["fashion_mnist/test/images"]).toMatch(/^5b4141f0/);
  const { inputs, targets } = read(dataset, 784);
  expect(countsOf(targets)).toEqual(Array(10).fill(1000));
  const [train, { samplesPerEpoch }] = await fashionMnist({ batchSize: 60000, directory: folder });
  expect([train.samplesPerEpoch, samplesPerEpoch]).toEqual([60000, 10000]);
  const standard = read(fashionMnistDataset("test"), 784, Int32Array.of(7)).inputs;
  const f = Math.fround;
  expect(standard).toEqual(inputs.subarray(7 * 784, 8 * 784).map((p) => f(f(p - f(0.286)) / f(0.353))));
});

test("the heat equation: points of its own seed, uniform, and the exact solution there", () => {
  const dataset = heatEquation({ samples: 4000, seed: 3, diffusivity: 0.25, duration: 2 });
  const [points, exact] = [new Float32Array(8000), new Float32Array(4000)];
  dataset.fields.inputs.read(all(dataset), points);
  dataset.fields.targets.read(all(dataset), exact);
  let [x, t] = [0, 0];
  exact.forEach((u, i) => {
    const at = [points[2 * i], points[2 * i + 1]];
    expect(at[0] >= 0 && at[0] <= 1 && at[1] >= 0 && at[1] <= 2).toBe(true);
    expect(u).toBeCloseTo(Math.exp(-0.25 * Math.PI ** 2 * at[1]) * Math.sin(Math.PI * at[0]), 6);
    x += at[0] / 4000;
    t += at[1] / 4000;
  });
  // Four standard errors of the mean of a uniform.
  expect(Math.abs(x - 0.5)).toBeLessThan(4 / Math.sqrt(12 * 4000));
  expect(Math.abs(t - 1)).toBeLessThan(8 / Math.sqrt(12 * 4000));
  const digest = (seed: number, samples = 100) => heatEquation({ samples, seed }).digests["heat-equation/inputs"];
  expect(digest(1)).toBe(digest(1));
  expect(digest(1)).not.toBe(digest(2));
  expect(() => heatEquation({ samples: 0, seed: 1 })).toThrow(/samples/);
});
