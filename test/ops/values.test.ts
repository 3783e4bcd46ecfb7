// What the ops' functions mean, on values small enough to see: slices as NumPy's, joins, rows by number, samplers over given words.
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../src/backend/reference.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import * as compare from "../../src/ops/compare.ts";
import * as composite from "../../src/ops/composite.ts";
import * as creation from "../../src/ops/creation.ts";
import { broadcastTo, full } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import * as indexed from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import * as movement from "../../src/ops/movement.ts";
import * as norm from "../../src/ops/norm.ts";
import * as padding from "../../src/ops/pad.ts";
import * as random from "../../src/ops/random.ts";
import * as reduce from "../../src/ops/reduce.ts";
import * as sort from "../../src/ops/sort.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { runGraph, traceGraph } from "../support/graphs.ts";

type Nested = number | Nested[];

/** The result as nested arrays. */
async function valuesOf(build: () => Node): Promise<Nested> {
  const graph = traceGraph({}, () => ({ outputs: { y: build() } }));
  const [data] = await runGraph(referenceBackend(), graph, []);
  const nest = (shape: readonly number[], at: number): Nested =>
    shape.length === 0
      ? data[at]
      : Array.from({ length: shape[0] }, (_, i) => nest(shape.slice(1), at + i * sizeOf(shape.slice(1))));
  return nest(graph.outputs[0].node.shape, 0);
}

/** [[0, 1, 2, 3], [10, …], [20, …]] */
const grid = () => creation.fromValues([0, 10, 20].map((row) => [0, 1, 2, 3].map((column) => row + column)));
const row = () => creation.fromValues([0, 1, 2, 3, 4]);

const flags = () => creation.fromValues([true, false, false, true]);

const table: Record<string, readonly [() => Node, Nested]> = {
  "slice of a range": [() => movement.slice(row(), [[1, 3]]), [1, 2]],
  "slice from the end": [() => movement.slice(row(), [[-3, -1]]), [2, 3]],
  "slice beyond the end": [() => movement.slice(row(), [[3, 99]]), [3, 4]],
  "slice from before the start": [() => movement.slice(row(), [[-99, 2]]), [0, 1]],
  "slice to Infinity": [() => movement.slice(row(), [[2, Infinity]]), [2, 3, 4]],
  "slice by steps": [() => movement.slice(row(), [[0, 5, 2]]), [0, 2, 4]],
  "slice by steps that overshoot": [() => movement.slice(row(), [[1, 5, 3]]), [1, 4]],
  "slice backwards": [() => movement.slice(row(), [[3, 0, -1]]), [3, 2, 1]],
  "slice backwards from the end": [() => movement.slice(row(), [[-1, -4, -1]]), [4, 3, 2]],
  "slice backwards to the start": [() => movement.slice(row(), [[4, -Infinity, -2]]), [4, 2, 0]],
  "slice backwards from beyond": [() => movement.slice(row(), [[99, 2, -1]]), [4, 3]],
  "slice the wrong way round": [() => movement.slice(row(), [[3, 1]]), []],
  "slice picks an index": [() => movement.slice(grid(), [1]), [10, 11, 12, 13]],
  "slice picks the last": [() => movement.slice(grid(), [null, -1]), [3, 13, 23]],
  "slice picks one element": [() => movement.slice(grid(), [2, 1]), 21],
  "slice of both axes": [
    () =>
      movement.slice(grid(), [
        [0, 3, 2],
        [1, 3],
      ]),
    [
      [1, 2],
      [21, 22],
    ],
  ],
  flip: [
    () => movement.flip(grid(), -1),
    [
      [3, 2, 1, 0],
      [13, 12, 11, 10],
      [23, 22, 21, 20],
    ],
  ],
  "reshape with a free axis": [
    () => movement.reshape(grid(), [2, -1]),
    [
      [0, 1, 2, 3, 10, 11],
      [12, 13, 20, 21, 22, 23],
    ],
  ],
  "reshape to a scalar": [() => movement.reshape(full([1, 1], 7), []), 7],
  transpose: [
    () => movement.transpose(grid()),
    [
      [0, 10, 20],
      [1, 11, 21],
      [2, 12, 22],
      [3, 13, 23],
    ],
  ],
  "transpose counted from the end": [
    () => movement.transpose(grid(), [-1, 0]),
    [
      [0, 10, 20],
      [1, 11, 21],
      [2, 12, 22],
      [3, 13, 23],
    ],
  ],
  swapAxes: [() => movement.swapAxes(movement.reshape(row(), [5, 1])), [[0, 1, 2, 3, 4]]],
  broadcastTo: [
    () => broadcastTo(movement.reshape(movement.slice(row(), [[0, 2]]), [2, 1]), [2, 3]),
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  ],
  pad: [
    () =>
      padding.pad(
        full([1, 2], 5),
        [
          [1, 0],
          [0, 2],
        ],
        -1,
      ),
    [
      [-1, -1, -1, -1],
      [5, 5, -1, -1],
    ],
  ],
  "concat of rows": [
    () => movement.concat([full([1, 2], 1), full([2, 2], 2)]),
    [
      [1, 1],
      [2, 2],
      [2, 2],
    ],
  ],
  "concat along the last": [
    () => movement.concat([full([2, 1], 1), full([2, 0], 9), full([2, 2], 2)], -1),
    [
      [1, 2, 2],
      [1, 2, 2],
    ],
  ],
  "concat of bools": [() => movement.concat([full([1], 1, "bool"), full([2], 0, "bool")]), [1, 0, 0]],
  stack: [
    () => movement.stack([full([2], 1), full([2], 2)], 1),
    [
      [1, 2],
      [1, 2],
    ],
  ],
  "stack of scalars": [() => movement.stack([full([], 1), full([], 2)]), [1, 2]],
  take: [
    () => indexed.take(grid(), creation.fromValues([[2, 0]], "int32")),
    [
      [
        [20, 21, 22, 23],
        [0, 1, 2, 3],
      ],
    ],
  ],
  gather: [() => indexed.gather(grid(), creation.fromValues([[3], [0], [1]], "int32"), 1), [[3], [10], [21]]],
  scatterAdd: [
    () => indexed.scatterAdd(creation.fromValues([1, 1, 0], "int32"), creation.fromValues([5, 6, 7]), 0, 3),
    [7, 11, 0],
  ],
  arange: [() => creation.arange(4), [0, 1, 2, 3]],
  "arange of a range": [() => creation.arange(2, 9, { step: 3 }), [2, 5, 8]],
  "arange downwards": [() => creation.arange(3, -2, { step: -2 }), [3, 1, -1]],
  "arange of nothing": [() => creation.arange(3, 3), []],
  "arange of floats": [() => creation.arange(0, 1, { step: 0.25, dtype: "float32" }), [0, 0.25, 0.5, 0.75]],
  eye: [
    () => creation.eye(2, { columns: 3 }),
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  ],
  "one-hot": [
    () => creation.oneHot(creation.fromValues([2, 0, 5], "int32"), 3),
    [
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 0],
    ],
  ],
  "matmul of a row and a matrix": [
    () =>
      matmul(
        creation.fromValues([1, 10]),
        creation.fromValues([
          [1, 2],
          [3, 4],
        ]),
      ),
    [31, 42],
  ],
  "matmul of a matrix and a column": [
    () =>
      matmul(
        creation.fromValues([
          [1, 2],
          [3, 4],
        ]),
        creation.fromValues([1, 10]),
      ),
    [21, 43],
  ],
  "matmul of vectors": [() => matmul(creation.fromValues([1, 2, 3]), creation.fromValues([4, 5, 6])), 32],
  "sum keeps axes": [() => reduce.sum(grid(), { axis: 0, keepDims: true }), [[30, 33, 36, 39]]],
  "sum over a negative axis": [() => reduce.sum(grid(), { axis: -1 }), [6, 46, 86]],
  "mean of all": [() => reduce.mean(grid()), 11.5],
  variance: [() => reduce.variance(creation.fromValues([1, 2, 3, 6])), 3.5],
  "argmax over all": [() => reduce.argmax(grid()), 11],
  "a quantile's place is a whole number where decimals say so": [
    () => sort.quantile(creation.arange(0, 101, { dtype: "float32" }), [0.07, 0.29], { interpolation: "lower" }),
    [7, 29],
  ],
  "a quantile's place isn't the next one": [
    () => sort.quantile(creation.arange(0, 101, { dtype: "float32" }), [0.07, 0.29], { interpolation: "higher" }),
    [7, 29],
  ],
  "equal of bool, with a number": [() => compare.equal(flags(), 1), [1, 0, 0, 1]],
  "notEqual of bool": [() => compare.notEqual(flags(), creation.fromValues([true, true, false, false])), [0, 1, 0, 1]],
  "where with a number": [() => ops.where(creation.fromValues([true, false]), creation.fromValues([1, 2]), 9), [1, 9]],
  "numbers take the tensor's dtype": [() => ops.add(creation.fromValues([1, 2], "int32"), 3), [4, 5]],
  "a number on the left": [() => ops.sub(10, row()), [10, 9, 8, 7, 6]],
  "softmax doesn't overflow": [() => composite.softmax(creation.fromValues([1000, 1000])), [0.5, 0.5]],
  "linear with a bias": [
    () =>
      composite.linear(
        creation.fromValues([[1, 2]]),
        creation.fromValues([
          [3, 4],
          [5, 6],
        ]),
        creation.fromValues([100, 200]),
      ),
    [[111, 217]],
  ],
  "layerNorm of a row": [() => norm.layerNorm(creation.fromValues([[1, 3]]), full([2], 2), full([2], 1), 0), [[-1, 3]]],
};

describe("values", () => {
  for (const [name, [build, expected]] of Object.entries(table)) {
    test(name, async () => {
      expect(await valuesOf(build)).toEqual(expected);
    });
  }
});

describe("tensors from values", () => {
  test("shapes and dtypes are read off", () => {
    const described = (...args: Parameters<typeof creation.fromValues>) => {
      const node = creation.fromValues(...args);
      return `${node.dtype}[${node.shape}]`;
    };
    expect(described(3)).toBe("float32[]");
    expect(described(true)).toBe("bool[]");
    expect(described([[1, 2, 3]])).toBe("float32[1,3]");
    expect(described([[], []])).toBe("float32[2,0]");
    expect(described([])).toBe("float32[0]");
    expect(described([true, false])).toBe("bool[2]");
    expect(described([1, 0], "bool")).toBe("bool[2]");
    expect(described(new Int32Array(4))).toBe("int32[4]");
    expect(described(new Uint8Array(4))).toBe("bool[4]");
    expect(described([new Float32Array(2), new Float32Array(2)])).toBe("float32[2,2]");
    expect(described(new Float32Array([1, 2]), "int32")).toBe("int32[2]");
  });

  test("a tensor doesn't follow the array it was made from, nor a shape the list it was given as", () => {
    const values = new Float32Array([1, 2]);
    const node = creation.fromValues(values);
    values[0] = 9;
    expect([...node.data!]).toEqual([1, 2]);
    const shape = [2, 3];
    const nodes = [full(shape, 1), movement.reshape(full([6], 1), shape), broadcastTo(full([1, 3], 1), shape)];
    shape[0] = 7;
    for (const { shape, attributes } of nodes) {
      expect(shape).toEqual([2, 3]);
      if (attributes.shape) expect(attributes.shape).toEqual([2, 3]);
      expect(Object.isFrozen(shape)).toBe(true);
    }
  });
});

describe("random ops", () => {
  const words = (count: number) => {
    const out = new Uint32Array(count);
    fillWords(1234n, 0, out);
    return [...out];
  };

  test("uniform is the word's upper 24 bits over 2²⁴, then scaled, each operation rounded", async () => {
    expect(await valuesOf(() => random.uniform([50]))).toEqual(words(50).map((word) => (word >>> 8) / 2 ** 24));
    const [low, high] = [-0.3, 2.7];
    const scaled = words(50).map((word) =>
      Math.fround(Math.fround(((word >>> 8) / 2 ** 24) * Math.fround(high - low)) + Math.fround(low)),
    );
    expect(await valuesOf(() => random.uniform([50], low, high))).toEqual(scaled);
  });

  test("bernoulli and dropout compare whole words with a threshold of 32 bits", async () => {
    for (const p of [0, 0.1, 0.5, 1 - 2 ** -33, 1]) {
      const expected = words(200).map((word) => Number(word < Math.round(p * 2 ** 32)));
      expect(await valuesOf(() => random.bernoulli([200], p))).toEqual(expected);
      const kept = words(200).map((word) => Number(word < Math.round((1 - p) * 2 ** 32)));
      expect(await valuesOf(() => random.bernoulli([200], 1 - p))).toEqual(kept);
    }
  });

  test("dropout keeps and scales, or drops all", async () => {
    const scale = Math.fround(1 / (1 - 0.3));
    const kept = words(100).map((word) => (word < Math.round(0.7 * 2 ** 32) ? Math.fround(3 * scale) : 0));
    expect(await valuesOf(() => composite.dropout(full([100], 3), 0.3))).toEqual(kept);
    expect(await valuesOf(() => composite.dropout(full([3], Infinity), 1))).toEqual([0, 0, 0]);
    expect(await valuesOf(() => composite.dropout(full([3], 5), 0))).toEqual([5, 5, 5]);
  });

  test("the number of draws is a function of shape alone", () => {
    const drawn = (build: () => Node) => traceGraph({}, () => ({ outputs: { y: build() } })).draws;
    expect(drawn(() => random.uniform([3, 4]))).toBe(12);
    expect(drawn(() => random.normal([5]))).toBe(5);
    for (const p of [0, 0.5, 1]) expect(drawn(() => composite.dropout(full([6], 1), p))).toBe(6);
    for (const high of [1, 7, 2 ** 31]) expect(drawn(() => random.randint([4], 0, high))).toBe(8);
    expect([0, 1, 2, 10].map((count) => drawn(() => random.permutation(count)))).toEqual([0, 0, 2, 18]);
    expect(drawn(() => random.uniform([0]))).toBe(0);
  });

  test("randint lies in its range and reaches its ends", async () => {
    const values = (await valuesOf(() => random.randint([400], -2, 3))) as number[];
    expect(new Set(values)).toEqual(new Set([-2, -1, 0, 1, 2]));
  });
});
