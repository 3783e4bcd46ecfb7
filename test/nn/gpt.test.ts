// The transformer's layers: what they are called, what they draw, what they see, what they refuse.
import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { normal, scaledDotProductAttention, tensor, zeros } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => setDefaultBackend("reference"));

const sizes = { vocabulary: 7, context: 5, width: 8, heads: 2, layers: 2 };
const tokens = (...rows: number[][]) => tensor(rows, { dtype: "int32" });
const bits = async (x: Tensor) => Array.from(new Uint32Array(((await x.data()) as Float32Array).buffer));

describe("gpt", () => {
  test("its parameters by path, and draws for them alone", () => {
    const stream = manualSeed(1);
    const model = nn.gpt(sizes);
    const block = (i: number) =>
      "norm1.weight norm1.bias attention.qkv.weight attention.qkv.bias attention.out.weight attention.out.bias norm2.weight norm2.bias mlp.0.weight mlp.0.bias mlp.2.weight mlp.2.bias"
        .split(" ")
        .map((name) => `blocks.${i}.${name}`);
    expect(model.namedParameters().map(([name]) => name)).toEqual([
      "token.weight",
      "position.weight",
      ...block(0),
      ...block(1),
      "norm.weight",
      "norm.bias",
      "head.weight",
      "head.bias",
    ]);
    const drawn = model
      .namedParameters()
      .filter(([name]) => !name.includes("norm"))
      .reduce((sum, [, { size }]) => sum + size, 0);
    expect(stream.position).toBe(drawn);
  });

  test("causal: a later token changes no bit of an earlier output; a row doesn't know its batch", async () => {
    manualSeed(2);
    const model = nn.gpt(sizes);
    const one = await bits(model.forward(tokens([1, 2, 3, 4, 5])));
    const other = await bits(model.forward(tokens([0, 6, 0, 1, 1], [1, 2, 3, 0, 6]))).then((all) => all.slice(35));
    const shorter = await bits(model.forward(tokens([1, 2, 3])));
    expect(other.slice(0, 21)).toEqual(one.slice(0, 21));
    expect(other.slice(21, 28)).not.toEqual(one.slice(21, 28));
    expect(shorter).toEqual(one.slice(0, 21));
  });

  test("dropout draws in training only: embeddings, weights, both addends of each block", () => {
    const stream = manualSeed(3);
    const model = nn.gpt({ ...sizes, dropout: 0.1 });
    const before = stream.position;
    model.eval().forward(tokens([1, 2, 3], [4, 5, 6]));
    expect(stream.position).toBe(before);
    model.train().forward(tokens([1, 2, 3], [4, 5, 6]));
    const [values, weights] = [2 * 3 * 8, 2 * 2 * 3 * 3];
    expect(stream.position - before).toBe(values + 2 * (weights + 2 * values));
  });

  test("what it refuses", () => {
    const model = nn.gpt(sizes);
    expect(() => model.forward(tokens([1, 2, 3, 4, 5, 6]))).toThrow(/time ≤ 5/);
    expect(() => model.forward(tensor([1, 2], { dtype: "int32" }))).toThrow(ShapeError);
    for (const [key, value] of [
      ["vocabulary", 0],
      ["context", 1.5],
      ["layers", 0],
      ["heads", 3],
      ["heads", 0],
      ["dropout", 1.5],
    ] as const)
      expect(() => nn.gpt({ ...sizes, [key]: value }), `${key} ${value}`).toThrow(ShapeError);
    expect(() => nn.gpt({ ...sizes, heads: 3 })).toThrow(/got width 8, heads 3, expected a width that is a multiple/);
  });
});

describe("self-attention", () => {
  test("without a mask every position sees every other", async () => {
    manualSeed(4);
    const [free, causal] = [nn.selfAttention(8, 2), nn.selfAttention(8, 2, { causal: true })];
    const x = normal([1, 3, 8]);
    const y = x.add(tensor([0, 0, 1]).reshape([1, 3, 1]));
    for (const [layer, same] of [
      [free, false],
      [causal, true],
    ] as const) {
      const [a, b] = [await bits(layer.forward(x)), await bits(layer.forward(y))].map((all) => all.slice(0, 16));
      if (same) expect(a).toEqual(b);
      else expect(a).not.toEqual(b);
    }
  });

  test("shapes that don't fit; its text", () => {
    const layer = nn.selfAttention(8, 2, { causal: true, dropout: 0.1 });
    expect(() => layer.forward(zeros([3, 8]))).toThrow(/expected \[batch, time, 8\]/);
    expect(() => layer.forward(zeros([1, 3, 4]))).toThrow(ShapeError);
    expect(String(layer)).toContain("SelfAttention(2 heads, causal, dropout 0.1)");
    expect(() => scaledDotProductAttention(zeros([4]), zeros([3, 4]), zeros([3, 4]))).toThrow(ShapeError);
    expect(() => scaledDotProductAttention(zeros([2, 4]), zeros([3, 4]), zeros([3, 4]), { causal: true })).toThrow(
      /as many queries as keys/,
    );
  });
});
