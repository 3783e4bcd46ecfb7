// Where gradients go when a NaN is among the values: to the element that the value came from.
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/index.ts";
import { gradients, maxPool2d, ops, tensor } from "../../src/index.ts";

const { maximum, minimum, relu } = ops;

async function grad(values: readonly number[], of: (x: Tensor) => Tensor): Promise<number[]> {
  const x = tensor([...values]);
  return Array.from(await gradients(of(x), [x])[0].data());
}

describe("the gradient of", () => {
  test.each<[string, number[], number[]]>([
    ["a NaN between numbers", [1, NaN, 3], [0, 1, 0]],
    ["a NaN beside infinity", [Infinity, NaN], [0, 1]],
    ["two NaNs, which share it", [NaN, 5, NaN, -Infinity], [0.5, 0, 0.5, 0]],
    ["no NaN, ties", [2, 2, 1, 2], [Math.fround(1 / 3), Math.fround(1 / 3), 0, Math.fround(1 / 3)]],
  ])("max and min over %s", async (_, values, expected) => {
    expect(await grad(values, (x) => x.max())).toEqual(expected);
    expect(
      await grad(
        values.map((value) => -value),
        (x) => x.min(),
      ),
    ).toEqual(expected);
  });

  test("max over either axis, in both orders of reduction", async () => {
    const x = tensor([
      [1, NaN, 3],
      [NaN, NaN, 0],
    ]);
    const rows = gradients(x.max({ axis: 1 }).sum(), [x])[0];
    expect(await rows.array()).toEqual([
      [0, 1, 0],
      [0.5, 0.5, 0],
    ]);
    const columns = gradients(x.max({ axis: 0 }).sum(), [x])[0];
    expect(await columns.array()).toEqual([
      [0, 0.5, 1],
      [1, 0.5, 0],
    ]);
  });

  test("argmax and argmin name the NaN that wins, the first of several", async () => {
    for (const values of [
      [1, NaN, 3],
      [-Infinity, NaN, NaN],
      [Infinity, NaN, NaN],
    ]) {
      const x = tensor(values);
      expect([await x.argmax().item(), await x.argmin().item()]).toEqual([1, 1]);
    }
  });

  test("maximum and minimum: to the NaN, to the first of two", async () => {
    for (const op of [maximum, minimum]) {
      const [a, b] = [tensor([NaN, 1, NaN, 2]), tensor([1, NaN, NaN, 2])];
      const [left, right] = gradients(op(a, b).sum(), [a, b]);
      expect([await left.array(), await right.array()]).toEqual([
        [1, 0, 1, 0.5],
        [0, 1, 0, 0.5],
      ]);
    }
  });

  test("a value clipped by maximum and minimum", async () => {
    expect(await grad([NaN, -9, 9, 0.5], (x) => maximum(minimum(x, 1), -1).sum())).toEqual([1, 0, 0, 1]);
  });

  test("maxPool2d: all of it to the first NaN of a window", async () => {
    const image = tensor([9, NaN, NaN, 1]).reshape([1, 1, 2, 2]);
    expect(Array.from(await gradients(maxPool2d(image, 2).sum(), [image])[0].data())).toEqual([0, 1, 0, 0]);
  });

  test("relu: through, as the value; abs: none", async () => {
    expect(await grad([NaN, 0, -0, 1, -1], (x) => relu(x).sum())).toEqual([1, 0, 0, 1, 0]);
    expect(await grad([NaN, 0, -0, 1, -1], (x) => x.abs().sum())).toEqual([0, 0, 0, 1, -1]);
  });
});
