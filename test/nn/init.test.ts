// Initialisers: moments and bounds, orthogonality, draws, the names that layers and configs take, and what is refused. Fixed seeds.
import { describe, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../src/core/errors.ts";
import { nn, normal, type Shape, type Tensor, zeros } from "../../src/index.ts";
import { initNames } from "../../src/nn/init.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { momentScore } from "../support/statistics.ts";

const { init } = nn;
const drawn = (make: () => Tensor) => withStream(new Stream(1234), make);

describe("moments", () => {
  const shape = [40, 20, 3, 3];
  const [fanIn, fanOut] = [180, 360];
  test.each<[string, (shape: Shape) => Tensor, number, "uniform" | "normal"]>([
    ["xavierUniform", init.xavierUniform, 2 / (fanIn + fanOut), "uniform"],
    [
      "xavierNormal",
      (of) => init.xavierNormal(of, { gain: init.gain("tanh") }),
      (25 / 9) * (2 / (fanIn + fanOut)),
      "normal",
    ],
    ["kaimingUniform", init.kaimingUniform, 2 / fanIn, "uniform"],
    [
      "kaimingUniform fanOut",
      (of) => init.kaimingUniform(of, { mode: "fanOut", nonlinearity: "linear" }),
      1 / fanOut,
      "uniform",
    ],
    ["kaimingNormal", init.kaimingNormal, 2 / fanIn, "normal"],
    [
      "kaimingNormal leaky",
      (of) => init.kaimingNormal(of, { mode: "fanAverage", nonlinearity: "leakyRelu", slope: 0.5 }),
      1.6 / 270,
      "normal",
    ],
    ["lecunUniform", init.lecunUniform, 1 / fanIn, "uniform"],
    ["lecunNormal", init.lecunNormal, 1 / fanIn, "normal"],
  ])("%s: mean 0, variance by its fans; a uniform one within √3 deviations", async (_, make, variance, kind) => {
    const values = [...(await drawn(() => make(shape)).data())].map((x) => x / Math.sqrt(variance));
    const fourth = kind === "normal" ? 3 : 9 / 5;
    expect(Math.abs(momentScore(values, 1, 0, 1))).toBeLessThan(4);
    expect(Math.abs(momentScore(values, 2, 1, fourth))).toBeLessThan(4);
    const largest = Math.max(...values.map(Math.abs));
    if (kind === "uniform") expect(largest <= Math.sqrt(3) * (1 + 1e-6) && largest > 1.72).toBe(true);
    else expect(largest).toBeGreaterThan(3);
  });

  test("gains are PyTorch's", () => {
    const gains = (["linear", "sigmoid", "tanh", "relu", "selu"] as const).map((name) => init.gain(name));
    expect(gains).toEqual([1, 1, 5 / 3, Math.SQRT2, 0.75]);
    expect(init.gain("leakyRelu", 0.2)).toBe(1.3867504905630728);
  });
});

describe("orthogonal", () => {
  test.each([[[17, 17]], [[33, 7]], [[5, 4, 3]], [[1, 1]], [[128, 128]]])(
    "%j: rows or columns are orthonormal",
    async (shape) => {
      const gain = 2;
      const q = drawn(() => init.orthogonal(shape, { gain })).reshape([shape[0], -1]);
      const tall = q.shape[0] > q.shape[1];
      const product = (tall ? q.transpose().matmul(q) : q.matmul(q.transpose())).mul(1 / gain ** 2);
      const values = await product.data();
      const size = Math.min(...q.shape);
      values.forEach((value, i) => {
        expect(Math.abs(value - Number(i % (size + 1) === 0))).toBeLessThan(1e-5);
      });
    },
  );

  test("no direction is preferred: entries of many have mean 0 and variance 1 ÷ n", async () => {
    const stream = new Stream(3);
    const all: number[] = [];
    for (let i = 0; i < 100; i++)
      all.push(...(await withStream(stream, () => init.orthogonal([6, 6])).data()).map((x) => x * Math.sqrt(6)));
    // E x⁴ = 3n² ÷ (n(n + 2)) of a scaled entry; they aren't independent, so the bound is wide.
    expect(Math.abs(momentScore(all, 1, 0, 1))).toBeLessThan(4);
    expect(
      Math.abs(
        momentScore(
          all.map((x) => x * x),
          2,
          18 / 8,
          15 * 1.2,
        ),
      ),
    ).toBeLessThan(5);
  });
});

describe("sparse", () => {
  test("each column has its number of zeros, in places of its own", async () => {
    const weight = (await drawn(() => init.sparse([17, 40], 0.3, { deviation: 2 })).array()) as number[][];
    const places = Array.from({ length: 40 }, (_, column) =>
      weight.flatMap((row, i) => (row[column] === 0 ? [i] : [])).join(" "),
    );
    for (const place of places) expect(place.split(" ").length).toBe(Math.ceil(0.3 * 17));
    expect(new Set(places).size).toBeGreaterThan(35);
    expect(
      Math.abs(
        momentScore(
          weight.flat().filter((x) => x !== 0),
          2,
          4,
          48,
        ),
      ),
    ).toBeLessThan(4);
  });
});

describe("layers", () => {
  const made = (build: () => nn.Module) => withStream(new Stream(5), build);
  test("a name is the function without options; the bias stays PyTorch's, and draws after the weight", async () => {
    const layer = made(() => nn.linear(6, 4, { init: "kaiming_normal" })) as nn.Linear;
    const stream = new Stream(5);
    const [weight, bias] = withStream(stream, () => [init.kaimingNormal([4, 6]), normal([4])]);
    expect(await layer.weight.array()).toEqual(await weight.array());
    expect(bias.shape).toEqual(layer.bias!.shape);
    const table = made(() => nn.embedding(3, 5, { init: (shape) => normal(shape, 0, 0.02) })) as nn.Embedding;
    expect(await table.weight.array()).toEqual(await withStream(new Stream(5), () => normal([3, 5], 0, 0.02)).array());
  });

  test("every name makes a weight", () => {
    for (const name of initNames) {
      expect(made(() => nn.linear(6, 4, { init: name })).parameters()[0].shape).toEqual([4, 6]);
      expect(made(() => nn.conv2d(2, 4, 3, { init: name })).parameters()[0].shape).toEqual([4, 2, 3, 3]);
    }
  });

  test("models take a name, in a config too", () => {
    const text = (name: string) =>
      `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 2], init: ${name}}, loss: mse, loop: {num_steps: 1}}}`;
    expect(parseConfig(text("orthogonal"), "m.yaml").trainer.init.model).toMatchObject({ init: "orthogonal" });
    expect(() => parseConfig(text("kaiming"), "m.yaml")).toThrow(ConfigError);
    const cnn = made(() => nn.cnn({ input: [1, 4, 4], channels: [2], classes: 2, init: "zeros" }));
    expect(cnn.parameters().map(({ shape }) => shape)).toEqual([[2, 1, 3, 3], [2], [2, 8], [2]]);
  });
});

describe("bad input", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["one axis", () => init.xavierNormal([3]), /nn.init.xavierNormal: no inputs and outputs to count: got \[3\]/],
    ["nothing", () => init.orthogonal([0, 3]), /\[0, 3\]/],
    ["a share above 1", () => init.sparse([2, 3], 1.5), /a number in \[0, 1\]/],
    [
      "a weight of another shape",
      () => nn.linear(2, 3, { init: () => zeros([2, 3]) }),
      /got float32\[2, 3\], expected float32\[3, 2\]/,
    ],
    ["no weight", () => nn.embedding(2, 3, { init: (() => 1) as never }), /nn.embedding.init: no initial weight/],
  ])("%s", (_, act, message) => {
    expect(act).toThrow(ShapeError);
    expect(act).toThrow(message);
  });

  test("a name that is none", () => {
    expect(() => nn.linear(2, 3, { init: "he" as "zeros" })).toThrow(ConfigError);
    expect(() => init.gain("gelu" as "relu")).toThrow(ConfigError);
  });
});
