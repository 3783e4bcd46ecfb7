// maxPool2d and its gradient against PyTorch's over small integers with many ties, from pool.json (made by make_pool.py): exactly, since every sum is exact.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { gradients, maxPool2d, type Shape, tensor } from "../../src/index.ts";

interface Case {
  readonly shape: Shape;
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly values: number[];
  readonly gradients: number[];
}

const { cases }: { cases: Case[] } = JSON.parse(readFileSync(new URL("pool.json", import.meta.url), "utf8"));

/** The formula that make_pool.py computes too. */
function scattered(shape: Shape, below: number, least: number): Float32Array {
  const count = shape.reduce((product, extent) => product * extent, 1);
  return Float32Array.from({ length: count }, (_, i) => (((i * 7919) % 104729) % below) + least);
}

test.each(cases)("$shape, size $size, stride $stride, padding $padding", async (golden) => {
  const { shape, size, stride, padding } = golden;
  const x = tensor(
    scattered(shape, 5, -1).map((value) => Math.max(value, 0)),
    { shape },
  );
  const y = maxPool2d(x, size, { stride, padding });
  const weight = tensor(scattered(y.shape, 13, 1), { shape: y.shape });
  const [gradient] = gradients(y.mul(weight).sum(), [x]);
  expect(Array.from(await y.data())).toEqual(golden.values);
  expect(Array.from(await gradient.data())).toEqual(golden.gradients);
});
