// scatter against loops: the last update in row-major order stays, on random shapes with repeats; gradients; what is refused.
import { beforeAll, describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../../src/core/errors.ts";
import * as sg from "../../src/index.ts";
import { fromValues } from "../../src/ops/creation.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { scatterMax, scatterMin } from "../../src/ops/extremes.ts";
import { scatter } from "../../src/ops/gather.ts";
import { checkGradients } from "../support/gradients.ts";
import { expectSameBits, testWords } from "../support/graphs.ts";

beforeAll(() => sg.setDefaultBackend("reference"));

const int = (shape: number[], values: number[]) => sg.tensor(Int32Array.from(values), { shape });

test.each([1, 2, 3])("of random shapes is what loops give, seed %i", async (seed) => {
  const next = testWords(seed);
  for (let trial = 0; trial < 25; trial++) {
    const shape = Array.from({ length: 1 + (next() % 4) }, () => 1 + (next() % 4));
    const axis = next() % shape.length;
    const updated = shape.map((extent, i) => (i === axis ? next() % 6 : extent));
    const [size, count] = [shape, updated].map((each) => each.reduce((a, b) => a * b, 1));
    const indices = Array.from({ length: count }, () => next() % shape[axis]);
    const expected = Array.from({ length: size }, (_, i) => -1 - i);
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    for (let i = 0; i < count; i++) {
      const outer = Math.floor(i / (inner * updated[axis]));
      expected[(outer * shape[axis] + indices[i]) * inner + (i % inner)] = i + 1;
    }
    const x = int(
      shape,
      Array.from({ length: size }, (_, i) => -1 - i),
    );
    const updates = int(
      updated,
      Array.from({ length: count }, (_, i) => i + 1),
    );
    const what = `[${shape}] by [${updated}] along ${axis}`;
    const out = x.scatter(int(updated, indices), updates, axis - shape.length);
    expect([what, ...(await out.data())]).toEqual([what, ...expected]);
  }
});

describe("scatter", () => {
  test("keeps -0 and NaN, and writes a number", async () => {
    const x = sg.tensor([1, 2, 3]);
    const at = sg.tensor([0, 2, 0], "int32");
    expect(await x.scatter(at, sg.tensor([7, Number.NaN, -0]), 0).array()).toEqual([-0, 2, Number.NaN]);
    expect(await x.scatter(at, 5, 0).array()).toEqual([5, 2, 5]);
    expect(
      await x
        .greater(1)
        .scatter(at, sg.tensor([false, false, true]), 0)
        .array(),
    ).toEqual([true, true, false]);
  });

  test("passes the gradient of the update that stays, and of what isn't written over", async () => {
    const [x, updates] = [sg.zeros([3]), sg.zeros([3])];
    const out = x.scatter(sg.tensor([0, 2, 0], "int32"), updates, 0);
    const found = sg.gradients(out.mul(sg.tensor([1, 10, 100])).sum(), [x, updates]);
    expect(await Promise.all(found.map((each) => each.array()))).toEqual([
      [0, 10, 0],
      [0, 100, 1],
    ]);
    const at = fromValues([[0, 2, 2]], "int32");
    checkGradients(
      [
        [2, 3],
        [1, 3],
      ].slice(0, 1),
      (node) => ops.tanh(scatter(ops.mul(node, node), fromValues([[0], [2]], "int32"), 3, 1)),
    );
    checkGradients(
      [
        [3, 3],
        [1, 3],
      ],
      (node, written) => ops.tanh(scatter(node, at, ops.mul(written, written), 0)),
    );
  });

  const x = () => sg.zeros([2, 3]);
  test.each<[string, () => unknown, RegExp, typeof ShapeError | typeof DTypeError]>([
    [
      "other extents",
      () => x().scatter(int([3, 1], [0, 0, 0]), 1, 1),
      /^scatter: shapes differ beside the axis/,
      ShapeError,
    ],
    [
      "other updates",
      () => x().scatter(int([2, 1], [0, 0]), sg.ones([2, 2]), 1),
      /^scatter: an index for each update/,
      ShapeError,
    ],
    [
      "another dtype",
      () => x().scatter(int([2, 1], [0, 0]), int([2, 1], [1, 1]), 1),
      /^scatter: dtypes don't fit/,
      DTypeError,
    ],
    ["indices that are floats", () => x().scatter(x(), x(), 1), /^scatter: dtypes don't fit/, DTypeError],
    [
      "half of an integer",
      () => int([1], [0]).scatter(int([1], [0]), 0.5, 0),
      /^scatter: a number that int32 can't hold/,
      DTypeError,
    ],
  ])("%s: refused", (_, call, message, type) => {
    expect(call).toThrow(message);
    expect(call).toThrow(type);
  });

  test("an index out of range is an error when run", async () => {
    for (const wrong of [-1, 3])
      await expect(
        x()
          .scatter(int([2, 1], [0, wrong]), 1, 1)
          .data(),
      ).rejects.toThrow(/^scatter: an index is out of range/);
  });
});

describe("scatterMax and scatterMin", () => {
  const extremes = [
    ["scatterMax", scatterMax, (a: number, b: number) => (a >= b || Number.isNaN(a) ? a : b)],
    ["scatterMin", scatterMin, (a: number, b: number) => (a <= b || Number.isNaN(a) ? a : b)],
  ] as const;
  const few = [-0, 0, 1, -1, 2, Infinity, -Infinity, Number.NaN];

  test.each(extremes)(
    "%s of repeats, zeros of both signs and NaN is what maximum and minimum give, one after another",
    async (name, _, pick) => {
      for (const dtype of ["float32", "int32"] as const) {
        const next = testWords(7);
        const values = dtype === "float32" ? few : [-(2 ** 31), 2 ** 31 - 1, 0, 1];
        const draw = (count: number) => Array.from({ length: count }, () => values[next() % values.length]);
        const [own, updates] = [draw(12), draw(21)];
        const places = Array.from({ length: 21 }, () => next() % 4);
        const expected = [...own];
        updates.forEach((update, i) => {
          const to = places[i] * 3 + (i % 3);
          expected[to] = pick(expected[to], update);
        });
        const [x, u] = [sg.tensor(own, dtype).reshape([4, 3]), sg.tensor(updates, dtype).reshape([7, 3])];
        const out = await x[name](int([7, 3], places), u, 0).data();
        expectSameBits(out, sg.tensor(expected, dtype).node.data!, `${name} of ${dtype}`);
      }
    },
  );

  test.each(extremes)("%s: all that reach it share its gradient, x and NaN too", async (name, _, pick) => {
    const far = pick(9, -9);
    const [x, u] = [sg.tensor([1, far, 0]), sg.tensor([1, 1, far, 0, Number.NaN, Number.NaN])];
    const out = x[name](sg.tensor([0, 0, 1, 1, 2, 2], "int32"), u, 0);
    const found = sg.gradients(out.mul(sg.tensor([3, 4, 8])).sum(), [x, u]);
    expect(await Promise.all(found.map((each) => each.array()))).toEqual([
      [1, 2, 0],
      [1, 1, 2, 0, 4, 4],
    ]);
  });

  test.each(extremes)(
    "%s: gradients and second gradients, by differences; examples of a batch are as they are alone",
    async (name, apply) => {
      const at = fromValues([[0, 2, 2], [2, 0, 2], [2, 2, 0], [0, 0, 0]], "int32"); // biome-ignore format: rows
      checkGradients([[3, 3], [4, 3]], (x, updates) => ops.tanh(apply(ops.mul(x, x), at, updates, 0))); // biome-ignore format: shapes
      const [x, u] = [sg.tensor([[1, 2], [3, 0]]), sg.tensor([[2, 0, 4], [2, 5, 1]])]; // biome-ignore format: rows
      const each = (a: sg.Tensor, b: sg.Tensor) => a[name](sg.tensor([1, 0, 1], "int32"), b, 0);
      const alone = await sg.stack([0, 1].map((i) => each(x.slice([i]), u.slice([i])))).array();
      expect(await sg.vmap(each)(x, u).array()).toEqual(alone);
    },
  );

  test("no updates leave x; what doesn't fit is refused by their names, an index out of range when run", async () => {
    expect(await sg.scatterMax(sg.ones([2]), int([0], []), sg.ones([0]), 0).array()).toEqual([1, 1]);
    expect(() => sg.scatterMin(sg.ones([2]), int([1], [0]), sg.ones([2]), 0)).toThrow(/^scatterMin: an index for each/);
    expect(() => sg.scatterMax(sg.ones([2]), sg.ones([1]), sg.ones([1]), 0)).toThrow(/^scatterMax: dtypes don't fit/);
    await expect(sg.scatterMax(sg.ones([2]), int([1], [2]), sg.ones([1]), 0).data()).rejects.toThrow(/out of range/);
  });
});
