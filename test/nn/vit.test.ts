// The vision transformer: its parameters and draws, which pixels make a patch, what it refuses.
import { beforeAll, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { concat, matmul, slice, tensor, zeros } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => setDefaultBackend("reference"));

const sizes = { input: [1, 4, 6], patch: 2, classes: 3, width: 8, heads: 2, layers: 2 } as const;
const pixels = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 10);

test("its parameters; without dropout its forward draws nothing", () => {
  const stream = manualSeed(1);
  const model = nn.vit(sizes);
  const shapes = model.namedParameters().map(([path, { shape }]) => `${path} ${shape}`);
  expect(shapes.slice(0, 3)).toEqual(["positions 6,8", "patches.weight 8,1,2,2", "patches.bias 8"]);
  expect(shapes.slice(-4)).toEqual(["encoder.norm.weight 8", "encoder.norm.bias 8", "head.weight 3,8", "head.bias 3"]);
  const begun = stream.position;
  model.forward(zeros([2, 24]));
  expect(stream.position).toBe(begun);
});

test("patches row by row, through the encoder, and the mean of them", async () => {
  manualSeed(2);
  const model = nn.vit({ ...sizes, activation: "relu" });
  const images = tensor(pixels(48), { shape: [2, 1, 4, 6] });
  // The six patches by hand, each on one axis.
  const patches = [0, 2].flatMap((row) =>
    [0, 2, 4].map((column) => slice(images, [null, null, [row, row + 2], [column, column + 2]]).reshape([2, 1, 4])),
  );
  const weight = (model.patches.weight as Tensor).reshape([8, 4]);
  const embedded = matmul(concat(patches, 1), weight.transpose()).add(model.patches.bias as Tensor);
  const encoded = model.encoder.forward(embedded.add(model.positions));
  const [expected, got] = await Promise.all(
    [model.head.forward(encoded.mean(1)), model.forward(images)].map(async (each) => Array.from(await each.data())),
  );
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 5);
  });
  expect(Array.from(await model.forward(images.reshape([2, 24])).data())).toEqual(got);
});

test("an image that isn't whole patches, and samples of another size, are refused", () => {
  expect(() => nn.vit({ ...sizes, patch: 3 })).toThrow(ShapeError);
  expect(() => nn.vit({ ...sizes, patch: 3 })).toThrow(/isn't whole patches: got 4 × 6 pixels, patches of 3 × 3/);
  expect(() => nn.vit(sizes).forward(zeros([2, 25]))).toThrow(/samples of another size/);
});
