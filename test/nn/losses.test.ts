// Losses with weights, ignored targets and reductions: at their edges, in a run, and on bad input. Their values: test/golden/losses.test.ts and measures.test.ts.
import { describe, expect, test } from "vitest";
import { ConfigError, DTypeError, ShapeError } from "../../src/core/errors.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { dataLoader } from "../../src/data/loader.ts";
import * as losses from "../../src/nn/losses.ts";
import { gradients } from "../../src/program/gradients.ts";
import { ones, tensor, zeros } from "../../src/tensor/functions.ts";
import { Tensor } from "../../src/tensor/tensor.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { lossCalls } from "../conformance/cases/losses.ts";
import { checkGradients } from "../support/gradients.ts";
import { toyTrainer } from "../support/toy.ts";

const int = (values: number[] | number[][]) => tensor(values, { dtype: "int32" });

describe("edges", () => {
  test("an ignored target counts nothing, whatever its outputs; where all are ignored a mean is NaN", async () => {
    const outputs = tensor([
      [0, 1],
      [Infinity, -Infinity],
    ]);
    const loss = losses.crossEntropy(outputs, int([1, -1]), { ignoreIndex: -1, reduction: "none" });
    const alone = losses.crossEntropy(tensor([[0, 1]]), int([1]));
    expect(await loss.array()).toEqual([await alone.item(), -0]);
    const rows = tensor([
      [0, 1],
      [5, -5],
    ]);
    const mean = losses.crossEntropy(rows, int([1, -1]), { ignoreIndex: -1 });
    expect(await mean.item()).toBe(await alone.item());
    expect((await gradients(mean, [rows])[0].data()).slice(2)).toEqual(new Float32Array(2));
    expect(await losses.nll(rows, int([-1, -1]), { ignoreIndex: -1 }).item()).toBe(Number.NaN);
  });

  test("terms have the targets' shape, and a weight for each sample goes to all of its terms", async () => {
    const outputs = zeros([2, 3, 4]);
    const targets = int([
      [0, 1, 2],
      [3, 2, 1],
    ]);
    const sampleWeights = tensor([1, 2]);
    const options = { reduction: "none" } as const;
    expect(losses.crossEntropy(outputs, targets, options).shape).toEqual([2, 3]);
    const terms = await losses.crossEntropy(outputs, { targets, sampleWeights }, options).array();
    const each = Math.fround(Math.log(4));
    expect(terms).toEqual([
      [each, each, each],
      [2 * each, 2 * each, 2 * each],
    ]);
    expect(losses.mse(ones([2, 3]), ones([2, 3]), options).shape).toEqual([2, 3]);
    expect(losses.focal(outputs, targets, options).shape).toEqual([2, 3]);
    expect(losses.infoNce(ones([3, 2, 4]), {}, options).shape).toEqual([3]);
  });

  test("equal vectors and vectors of zeros have gradients", async () => {
    for (const make of [ones, zeros]) {
      const pair = make([2, 2, 3]);
      const triple = make([2, 3, 3]);
      const found = [
        ...gradients(losses.cosineEmbedding(pair, int([1, 0])), [pair]),
        ...gradients(losses.infoNce(pair, {}), [pair]),
        ...gradients(losses.tripletMargin(triple, {}), [triple]),
      ];
      for (const gradient of found) expect((await gradient.data()).every(Number.isFinite)).toBe(true);
    }
  });

  test("ctc: labels that don't fit cost Infinity, or 0 where that is asked for, and have no gradient; others are as they are alone", async () => {
    const outputs = tensor(
      Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 4),
      [2, 3, 4],
    );
    // Two of the same have a blank between them: that takes three times.
    const batch = { targets: int([[1, 1], [2, -1]]), inputLengths: int([2, 3]), targetLengths: int([2, 1]) }; // biome-ignore format: rows
    const loss = losses.ctc(outputs, batch, { reduction: "none" });
    const alone = losses.ctc(outputs.slice([[1, 2]]), int([[2]]), { reduction: "sum" });
    expect(await loss.array()).toEqual([Infinity, await alone.item()]);
    const zeroed = losses.ctc(outputs, batch, { reduction: "none", zeroInfinity: true });
    expect(await zeroed.array()).toEqual([0, await alone.item()]);
    const gradient = await gradients(loss.sum(), [outputs])[0].data();
    expect(gradient.subarray(0, 12)).toEqual(new Float32Array(12));
    expect(gradient.subarray(12)).toEqual((await gradients(alone, [outputs])[0].data()).subarray(12));
  });

  test("ctc: outputs that aren't numbers cost NaN, never 0 or Infinity as labels that don't fit", async () => {
    const outputs = tensor([[[Number.NaN, 0], [1, 0]]]); // biome-ignore format: times
    for (const zeroInfinity of [true, false])
      expect(await losses.ctc(outputs, int([[1]]), { zeroInfinity }).item()).toBeNaN();
  });

  test("ctc: a class of probability 0 has no gradient; a length that isn't there is refused", async () => {
    const outputs = tensor([[[0, 1, -Infinity], [1, 0, -Infinity]]]); // biome-ignore format: times
    const loss = losses.ctc(outputs, int([[1]]));
    for (const value of await gradients(loss, [outputs])[0].data()) expect(Number.isFinite(value)).toBe(true);
    expect(await losses.ctc(outputs, int([[2]])).item()).toBe(Infinity);
    const wrong: Record<string, Tensor>[] = [
      { inputLengths: int([3]) },
      { targetLengths: int([2]) },
      { targetLengths: int([-1]) },
    ];
    for (const lengths of wrong)
      await expect(losses.ctc(outputs, { targets: int([[1]]), ...lengths }).item()).rejects.toThrow(/index/);
    await expect(losses.ctc(outputs, int([[3]])).item()).rejects.toThrow(/index/);
  });

  test.each([
    ["huber", losses.huber],
    ["smoothL1", losses.smoothL1],
  ])("%s: an infinite error has a line's gradient, and one that is NaN has NaN", async (_, lossOf) => {
    const outputs = tensor([Infinity, -Infinity, NaN, 3e38, 0.5, -2]);
    const loss = lossOf(outputs, zeros([6]), { reduction: "sum" });
    expect(await gradients(loss, [outputs])[0].array()).toEqual([1, -1, NaN, 1, 0.5, -1]);
  });

  test("a target that is NaN is no answer: neither yes nor no", async () => {
    const targets = tensor([NaN, 1, 0]);
    const none = { reduction: "none" } as const;
    const pairs = ones([3, 2, 2]);
    for (const loss of [
      losses.hinge(ones([3]), targets, none),
      losses.focal(ones([3]), targets, none),
      losses.cosineEmbedding(pairs, targets, none),
      losses.binaryCrossEntropy(ones([3]), targets, none),
    ])
      expect([...(await loss.data())].map(Number.isNaN)).toEqual([true, false, false]);
  });

  test("focal loss is finite where a probability is 0 or 1, and with γ = 0 cross entropy", async () => {
    const far = tensor([
      [200, -200, 0],
      [-200, 200, 0],
    ]);
    const loss = losses.focal(far, int([0, 0]), { reduction: "none", gamma: 0.5 });
    expect(await loss.array()).toEqual([0, 400]);
    for (const value of await gradients(loss.sum(), [far])[0].data()) expect(Number.isFinite(value)).toBe(true);
    const logits = tensor([
      [0.5, 1],
      [2, -1],
    ]);
    const plain = await losses.crossEntropy(logits, int([1, 1])).item();
    expect(Math.abs((await losses.focal(logits, int([1, 1]), { gamma: 0 }).item()) - plain)).toBeLessThan(1e-6);
  });
});

describe("gradients and second gradients, by differences in float64", () => {
  test.each(Object.entries(lossCalls))("%s", (name, [loss, shape, targets, most]) => {
    const classes = Int32Array.from({ length: sizeOf(targets) }, (_, i) => (i * 7) % Math.ceil(most));
    // Variances are positive.
    const range = name === "gaussianNll" ? ([0.2, 2] as const) : ([-2, 2] as const);
    checkGradients([shape], (x) => loss(new Tensor(x), tensor(classes, targets)).node, {
      ranges: [range],
      tolerance: 5e-5,
    });
  });
});

describe("in a run", () => {
  const size = 16;
  const inputs = Float32Array.from({ length: size * 4 }, (_, i) => ((i * 37) % 23) / 23 - 0.5);
  const features = { data: inputs, shape: [size, 4], dtype: "float32" } as const;
  const targets = {
    data: Int32Array.from({ length: size }, (_, i) => (inputs[4 * i] > 0 ? 1 : 0)),
    shape: [size],
    dtype: "int32",
  } as const;
  const weights = (of: (i: number) => number) =>
    ({ data: Float32Array.from({ length: size }, (_, i) => of(i)), shape: [size], dtype: "float32" }) as const;
  const trained = async (sampleWeights?: ReturnType<typeof weights>, options: losses.CrossEntropyOptions = {}) => {
    const data = arrayDataset("weighed", { inputs: features, targets, ...(sampleWeights && { sampleWeights }) });
    const loss = (
      outputs: Parameters<typeof losses.crossEntropy>[0],
      batch: Parameters<typeof losses.crossEntropy>[1],
    ) => losses.crossEntropy(outputs, batch, options);
    const trainer = toyTrainer({ loop: { numSteps: 4 }, loss });
    await trainer.fit(dataLoader(data, { batchSize: 8, shuffle: false }));
    return Promise.all(trainer.model.parameters().map(async (parameter) => [...(await parameter.data())]));
  };

  test("a dataset's sampleWeights weigh its samples: all 1 is none, 0 is a sample that isn't learned from", async () => {
    const plain = await trained();
    expect(await trained(weights(() => 1))).toEqual(plain);
    expect(await trained(weights((i) => Number(i % 2 === 0)))).not.toEqual(plain);
    const doubled = await trained(
      weights((i) => (targets.data[i] === 0 ? 2 : 1)),
      { reduction: "sum" },
    );
    expect(doubled).toEqual(await trained(undefined, { reduction: "sum", classWeights: [2, 1] }));
  });
});

describe("bad input", () => {
  const [one, row] = [tensor([[1, 2]]), tensor([1, 2])];
  const weigh = (sampleWeights: unknown) => losses.mse(one, { targets: one, sampleWeights } as never);
  test.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
    ["classes' weights", () => losses.nll(one, int([0]), { classWeights: [1] }), ShapeError, /got 1, expected 2/],
    ["no weights", () => losses.nll(one, int([0]), { classWeights: [] }), ConfigError, /a weight for each class/],
    ["a negative weight", () => losses.nll(one, int([0]), { classWeights: [1, -1] }), ConfigError, /≥ 0/],
    ["targets of floats", () => losses.crossEntropy(one, tensor([0])), DTypeError, /class numbers.*\nHint: cast/],
    [
      "ignored probabilities",
      () => losses.crossEntropy(one, one, { ignoreIndex: 0 }),
      ConfigError,
      /losses.crossEntropy.ignoreIndex: targets are probabilities/,
    ],
    [
      "a reduction",
      () => losses.mse(one, one, { reduction: "avg" as "sum" }),
      ConfigError,
      /isn't "mean" or "sum" or "none"/,
    ],
    ["a reduction by its place", () => losses.mse(one, one, "sum" as never), ConfigError, /options: \{ reduction/],
    ["weights of other samples", () => weigh(tensor([1, 2])), ShapeError, /\[2\] for terms of \[1, 2\]/],
    ["weights that are none", () => weigh([1]), ConfigError, /sample weights aren't a tensor/],
    ["a weight for all", () => weigh(tensor(1)), ShapeError, /a weight for each sample/],
    ["weights by place", () => losses.binaryCrossEntropy(one, one, { positiveWeight: [1] }), ShapeError, /got 1/],
    ["alpha of classes", () => losses.focal(one, int([0]), { alpha: 0.5 }), ConfigError, /losses.focal.alpha/],
    ["one class", () => losses.focal(tensor([[1]]), int([0])), ShapeError, /one class alone/],
    ["a power", () => losses.multiMargin(one, int([0]), { power: 3 }), ConfigError, /1 or 2/],
    ["means alone", () => losses.gaussianNll(row, row), ShapeError, /Hint: stack\(\[mean, variance\], -1\)/],
    ["vectors apart", () => losses.cosineEmbedding(one, row), ShapeError, /Hint: stack\(\[a, b\], 1\)/],
    ["two of three", () => losses.tripletMargin(ones([2, 2, 3]), {}), ShapeError, /three vectors a sample/],
    ["a target too few", () => losses.cosineEmbedding(ones([2, 2, 3]), int([1])), ShapeError, /a target for each pair/],
    ["no temperature", () => losses.infoNce(ones([2, 2, 3]), {}, { temperature: 0 }), ConfigError, /> 0/],
    ["labels of one sample", () => losses.ctc(ones([2, 3, 4]), int([1, 2])), ShapeError, /Hint: PyTorch's/],
    ["labels of floats", () => losses.ctc(ones([1, 3, 4]), one), DTypeError, /class numbers/],
    ["no blank", () => losses.ctc(ones([1, 3, 4]), int([[1]]), { blank: 4 }), ConfigError, /at most 3, of 4 classes/],
    [
      "a length too many",
      () => losses.ctc(ones([1, 3, 4]), { targets: int([[1]]), inputLengths: int([3, 3]) }),
      ShapeError,
      /losses.ctc.inputLengths: not a length for each sample/,
    ],
    [
      "no sample",
      () => losses.klDivergence(ones([0, 2]), ones([0, 2])),
      ShapeError,
      /^losses.klDivergence: nothing to/,
    ],
    ["a mean of nothing", () => losses.mse(ones([0]), ones([0])), ShapeError, /^losses.mse: nothing.*\(in mean\)/],
    ["integers", () => losses.mse(int([0, 1]), row), DTypeError, /^losses.mse: dtypes don't fit \(in sub\)/],
    [
      "no class",
      () => losses.crossEntropy(ones([1, 0]), int([0])),
      ShapeError,
      /^losses.crossEntropy: nothing to reduce/,
    ],
    ["rows without targets", () => losses.multiMargin(one, int([0, 1])), ShapeError, /a target for each row/],
  ])("%s", (_, act, error, message) => {
    expect(act).toThrow(error);
    expect(act).toThrow(message);
  });

  test.each([
    ["{cross_entropy: {class_weights: 2}}", /list/],
    ["{cross_entropy: {ignore_index: 0.5}}", /integer/],
    ["{huber: {reduction: average}}", /mean/],
    ["{focal: {gama: 2}}", /did you mean gamma/],
  ])("%s", (loss, message) => {
    const text = `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 2]}, loop: {num_steps: 1}, loss: ${loss}}}`;
    expect(() => parseConfig(text, "m.yaml")).toThrow(message);
  });
});
