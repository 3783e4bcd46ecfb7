// Layers over images: values small enough to check by hand, draws, and what they refuse. Against PyTorch: golden/cnn.test.ts.
import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { gradients } from "../../src/program/gradients.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { arange, conv2d, maxPool2d, ones, tensor, unfold, zeros } from "../../src/tensor/functions.ts";
import { models } from "../../src/train/config/families.ts";

beforeAll(() => {
  manualSeed(0);
  return setDefaultBackend("reference");
});

const image = arange(0, 12, { dtype: "float32" }).reshape([1, 1, 3, 4]);

describe("by hand", () => {
  test("unfold", async () => {
    expect(await unfold(tensor([0, 1, 2, 3, 4]), 0, 3, 2).array()).toEqual([
      [0, 1, 2],
      [2, 3, 4],
    ]);
    expect(unfold(zeros([2, 9, 3]), -2, 4, 2).shape).toEqual([2, 3, 3, 4]);
  });

  test("conv2d: a difference down, across, and both", async () => {
    const filters = tensor([
      [
        [
          [-1, 0],
          [1, 0],
        ],
      ],
      [
        [
          [-1, 1],
          [0, 0],
        ],
      ],
      [
        [
          [0, 0],
          [0, 1],
        ],
      ],
    ]);
    expect(await conv2d(image, filters, tensor([0, 0, 100])).array()).toEqual([
      [
        [
          [4, 4, 4],
          [4, 4, 4],
        ],
        [
          [1, 1, 1],
          [1, 1, 1],
        ],
        [
          [105, 106, 107],
          [109, 110, 111],
        ],
      ],
    ]);
    expect(await conv2d(image, ones([1, 1, 2, 2]), undefined, { stride: 2, padding: 1 }).array()).toEqual([
      [
        [
          [0, 3, 3],
          [12, 30, 18],
        ],
      ],
    ]);
  });

  test("maxPool2d: what is over is left out; the gradient goes to the largest", async () => {
    expect(await maxPool2d(image, 2).array()).toEqual([[[[5, 7]]]]);
    expect(await maxPool2d(image.neg(), 2, { stride: 1, padding: 1 }).array()).toEqual([
      [
        [
          [-0, -0, -1, -2, -3],
          [-0, -0, -1, -2, -3],
          [-4, -4, -5, -6, -7],
          [-8, -8, -9, -10, -11],
        ],
      ],
    ]);
    const [grad] = gradients(maxPool2d(image, 2).sum(), [image]);
    expect(await grad.reshape([3, 4]).array()).toEqual([
      [0, 0, 0, 0],
      [0, 1, 0, 1],
      [0, 0, 0, 0],
    ]);
  });

  test.each<[string, number[], number[]]>([
    ["the first of equals", [3, 3, 3, 3], [1, 0, 0, 0]],
    ["the upper row, whatever the column", [1, 3, 3, 1], [0, 1, 0, 0]],
    ["either zero", [-1, -0, 0, 0], [0, 1, 0, 0]],
    ["the first NaN", [9, -1, Number.NaN, Number.NaN], [0, 0, 1, 0]],
  ])("maxPool2d's gradient goes to %s", async (_, values, expected) => {
    const x = tensor(values).reshape([1, 1, 2, 2]);
    const [grad] = gradients(maxPool2d(x, 2).sum(), [x]);
    expect(Array.from(await grad.data())).toEqual(expected);
  });
});

describe("layers", () => {
  test("conv2d draws weight, then bias, from U(±1/√fan-in)", async () => {
    const stream = manualSeed(5);
    const layer = nn.conv2d(2, 3, 3);
    expect(layer.namedParameters().map(([name, { shape }]) => [name, shape])).toEqual([
      ["weight", [3, 2, 3, 3]],
      ["bias", [3]],
    ]);
    expect(stream.position).toBe(57);
    const largest = Math.max(...Array.from(await layer.weight.data(), Math.abs));
    expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(18));
    expect(largest).toBeGreaterThan(0.9 / Math.sqrt(18));
  });

  test("cnn: flat samples in, classes out", () => {
    const model = nn.cnn({ input: [1, 28, 28], channels: [16, 32], classes: 10, dropout: 0.1 });
    expect(model.forward(zeros([2, 784]))).toMatchObject({ shape: [2, 10] });
    expect(String(model)).toBe(
      "Sequential\n  (0): SampleShape(1 × 28 × 28)\n  (1): Conv2d(1 → 16, 3 × 3, stride 1, padding 1)\n  (2): Activation(relu)\n  (3): MaxPool2d(2)\n  (4): Conv2d(16 → 32, 3 × 3, stride 1, padding 1)\n  (5): Activation(relu)\n  (6): MaxPool2d(2)\n  (7): SampleShape\n  (8): Dropout(0.1)\n  (9): Linear(1568 → 10)",
    );
  });

  test("cnn with batch normalisation: convolutions have no bias, running statistics are in its state", () => {
    const model = nn.cnn({ input: [1, 8, 8], channels: [2], classes: 3, batchNorm: true });
    expect(String(model)).toBe(
      "Sequential\n  (0): SampleShape(1 × 8 × 8)\n  (1): Conv2d(1 → 2, 3 × 3, stride 1, padding 1, no bias)\n  (2): BatchNorm(2)\n  (3): Activation(relu)\n  (4): MaxPool2d(2)\n  (5): SampleShape\n  (6): Linear(32 → 3)",
    );
    expect(model.namedParameters().map(([name]) => name)).toEqual([
      "1.weight",
      "2.weight",
      "2.bias",
      "6.weight",
      "6.bias",
    ]);
  });

  test("from a config", () => {
    const parse = (changes: object) =>
      models.schema.safeParse({ name: "cnn", input: [1, 8, 8], channels: [2], classes: 3, ...changes });
    expect(parse({}).success).toBe(true);
    expect(models.make(parse({}).data!, undefined as never)).toBeInstanceOf(nn.Sequential);
    for (const wrong of [{ input: [8, 8] }, { channels: [] }, { size: 2 }, { classes: 0 }])
      expect(parse(wrong).success, JSON.stringify(wrong)).toBe(false);
  });
});

describe("what they refuse", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["other channels", () => conv2d(image, zeros([1, 2, 2, 2])), /expected \[batch, 2, height, width\]/],
    ["a filter that is no filter", () => conv2d(image, zeros([1, 2, 2])), /\[out, in, down, across\]/],
    ["a filter larger than the image", () => conv2d(image, zeros([1, 1, 4, 2])), /4×2 over 3×4/],
    [
      "a stride of 0",
      () => conv2d(image, zeros([1, 1, 2, 2]), undefined, { stride: 0 }),
      /stride isn.t a count: got 0/,
    ],
    [
      "a padding of −1",
      () => conv2d(image, zeros([1, 1, 2, 2]), undefined, { padding: -1 }),
      /padding isn.t a count: got -1/,
    ],
    ["too much padding for a maximum", () => maxPool2d(image, 3, { padding: 2 }), /at most half/],
    ["images without channels", () => maxPool2d(zeros([3, 4]), 2), /not images/],
    ["a window longer than its axis", () => unfold(zeros([3]), 0, 4), /4 on axis 0 of 3/],
    ["a window of nothing", () => unfold(zeros([3]), 0, 0), /size isn't a count/],
    ["no channels", () => nn.conv2d(0, 1, 3), /inputs isn't a count/],
    ["half a padding", () => nn.conv2d(1, 1, 3, { padding: 0.5 }), /padding isn't a count/],
    ["samples of another size", () => nn.unflatten([2, 3]).forward(zeros([4, 7])), /6 elements a sample/],
    ["filters without a middle", () => nn.cnn({ input: [1, 8, 8], channels: [2], classes: 2, size: 4 }), /odd size/],
  ])("%s", (_what, body, message) => {
    expect(body).toThrow(ShapeError);
    expect(body).toThrow(message);
  });
});
