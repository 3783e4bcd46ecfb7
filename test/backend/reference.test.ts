// The reference backend against the sentences of NUMERICS, written out here once more, one output element at a time.
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../src/backend/reference.ts";
import { lower } from "../../src/compile/lower.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { BackendError, ShapeError } from "../../src/core/errors.ts";
import type { Node } from "../../src/graph/node.ts";
import * as creation from "../../src/ops/creation.ts";
import { makeNode } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { gather, scatterAdd } from "../../src/ops/gather.ts";
import { matmul } from "../../src/ops/matmul.ts";
import * as movement from "../../src/ops/movement.ts";
import * as random from "../../src/ops/random.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { fillWords } from "../../src/rng/draws.ts";
import {
  arrayOf,
  type Data,
  expectSameBits,
  roughData,
  runGraph,
  runPlan,
  testData,
  traceGraph,
} from "../support/graphs.ts";

const backend = referenceBackend();
const f = Math.fround;

/** Runs one function of inputs. */
async function compute(inputs: readonly Data[], build: (...nodes: Node[]) => Node): Promise<TypedArray> {
  const graph = traceGraph(Object.fromEntries(inputs.map((data, i) => [`x${i}`, data])), (nodes) => ({
    outputs: { y: build(...Object.values(nodes)) },
  }));
  return (
    await runGraph(
      backend,
      graph,
      inputs.map(({ data }) => data),
    )
  )[0];
}

const vector = (...values: number[]): Data => ({
  dtype: "float32",
  shape: [values.length],
  data: arrayOf("float32", values),
});
const integers = (...values: number[]): Data => ({
  dtype: "int32",
  shape: [values.length],
  data: arrayOf("int32", values),
});

/** Sum of a row by the words: blocks of 1024, 16 lanes, combined 8, 4, 2, 1, blocks ascending. */
function sumLanes(row: readonly number[]): number {
  let total = 0;
  for (let block = 0; block < row.length; block += 1024) {
    const lane = (j: number) =>
      row.slice(block, block + 1024).reduce((sum, x, i) => (i % 16 === j ? f(sum + x) : sum), 0);
    const tree = (j: number, width: number): number =>
      width === 16 ? lane(j) : f(tree(j, width * 2) + tree(j + width, width * 2));
    total = f(total + tree(0, 1));
  }
  return total;
}

/** Sum by chunks of 256, ascending. */
function sumChunks(row: readonly number[]): number {
  let total = 0;
  for (let chunk = 0; chunk < row.length; chunk += 256) {
    total = f(total + row.slice(chunk, chunk + 256).reduce((sum, x) => f(sum + x), 0));
  }
  return total;
}

describe("the order of sums", () => {
  for (const size of [1, 15, 16, 17, 255, 256, 257, 1023, 1024, 1025, 2500]) {
    test(`over the last axes: lanes, ${size} elements`, async () => {
      const x = roughData([3, size]);
      const rows = [0, 1, 2].map((i) => [...x.data.slice(i * size, (i + 1) * size)]);
      const expected = arrayOf("float32", rows.map(sumLanes));
      expectSameBits(await compute([x], (a) => reduce.sum(a, { axis: 1 })), expected, "sum");
      const columns = { ...x, shape: [size, 3] };
      const down = [0, 1, 2].map((j) => [...x.data].filter((_, i) => i % 3 === j));
      expectSameBits(
        await compute([columns], (a) => reduce.sum(a, { axis: 0 })),
        arrayOf("float32", down.map(sumChunks)),
        "sum over the first",
      );
      const products = await compute(
        [
          { ...x, shape: [3, size] },
          { dtype: "float32", shape: [size, 1], data: new Float32Array(size).fill(0.3) },
        ],
        matmul,
      );
      expectSameBits(
        products,
        arrayOf(
          "float32",
          rows.map((row) => sumChunks(row.map((v) => f(v * f(0.3))))),
        ),
        "matmul",
      );
    });
  }

  test("the orders differ, so that the tests above can fail", () => {
    const row = [...roughData([2500]).data];
    expect(sumLanes(row)).not.toBe(sumChunks(row));
    expect(sumChunks(row)).not.toBe(row.reduce((sum, x) => f(sum + x), 0));
  });

  test("lanes over two axes run in row-major order of both; middle axes run in chunks", async () => {
    const x = roughData([2, 30, 40]);
    const row = [...x.data.slice(1200)];
    expect((await compute([x], (a) => reduce.sum(a, { axis: [1, 2] })))[1]).toBe(sumLanes(row));
    const middle = Array.from({ length: 30 }, (_, i) => x.data[1200 + i * 40 + 7]);
    expect((await compute([x], (a) => reduce.sum(a, { axis: 1 })))[47]).toBe(sumChunks(middle));
    const outer = Array.from({ length: 60 }, (_, i) => x.data[i * 40 + 7]);
    expect((await compute([x], (a) => reduce.sum(a, { axis: [0, 1] })))[7]).toBe(sumChunks(outer));
  });

  test("mean is one division; a row doesn't depend on the batch", async () => {
    const x = roughData([5, 777]);
    const [all, one] = [
      await compute([x], (a) => reduce.mean(a, { axis: 1 })),
      await compute([{ ...x, shape: [1, 777], data: x.data.slice(2 * 777, 3 * 777) }], (a) =>
        reduce.mean(a, { axis: 1 }),
      ),
    ];
    expect(all[2]).toBe(one[0]);
    expect(one[0]).toBe(f(sumLanes([...x.data.slice(2 * 777, 3 * 777)]) / 777));
  });

  test("scatter adds in ascending position of the source", async () => {
    const updates = roughData([400]);
    const where = testData([400], "int32", [0, 3.99]);
    const expected = new Float32Array(4);
    for (let i = 0; i < 400; i++) expected[where.data[i]] = f(expected[where.data[i]] + updates.data[i]);
    expectSameBits(await compute([where, updates], (i, x) => scatterAdd(i, x, 0, 4)), expected, "scatterAdd");
  });
});

describe("single elements", () => {
  test("each operation rounds once, subnormals and −0 stay", async () => {
    const [a, b] = [vector(1, 1e-40, 3e38, -0, 1, 16777216), vector(3, 2, 3e38, 0, -0, 1)];
    expectSameBits(
      await compute([a, b], ops.add),
      arrayOf("float32", [4, f(2 + f(1e-40)), Infinity, 0, 1, 16777216]),
      "add",
    );
    expectSameBits(
      await compute([a, b], ops.mul),
      arrayOf("float32", [3, f(1e-40) * 2, Infinity, -0, -0, 16777216]),
      "mul",
    );
    expectSameBits(
      await compute([a, b], ops.div),
      arrayOf("float32", [1 / 3, f(1e-40) / 2, 1, NaN, -Infinity, 16777216]),
      "div",
    );
    expectSameBits(await compute([vector(0, -0, NaN, 5)], ops.neg), arrayOf("float32", [-0, 0, NaN, -5]), "neg");
    expectSameBits(
      await compute([vector(-1, -0, 0, NaN, 2)], ops.relu),
      arrayOf("float32", [0, -0, 0, NaN, 2]),
      "relu",
    );
  });

  test("maximum takes a at a tie, and NaN from either side", async () => {
    const [a, b] = [vector(0, -0, NaN, 1, 1, 2), vector(-0, 0, 1, NaN, 2, 1)];
    expectSameBits(await compute([a, b], ops.maximum), arrayOf("float32", [0, -0, NaN, NaN, 2, 2]), "maximum");
    expectSameBits(await compute([a, b], ops.minimum), arrayOf("float32", [0, -0, NaN, NaN, 1, 1]), "minimum");
  });

  test("int32 wraps", async () => {
    const [a, b] = [integers(2147483647, -2147483648, 123456789), integers(1, -1, 987654321)];
    expect([...(await compute([a, b], ops.add))]).toEqual([-2147483648, 2147483647, 1111111110]);
    expect([...(await compute([a, b], ops.mul))]).toEqual([2147483647, -2147483648, -67153019]);
    expect([...(await compute([integers(-2147483648, -5)], ops.neg))]).toEqual([-2147483648, 5]);
    expect([...(await compute([integers(-2147483648, -5)], ops.abs))]).toEqual([-2147483648, 5]);
    expect([...(await compute([integers(2147483647, 2147483647, 2)], (x) => reduce.sum(x)))]).toEqual([0]);
  });

  test("casts truncate and saturate; NaN is 0, and true", async () => {
    const x = vector(1.9, -1.9, -0.5, NaN, Infinity, -Infinity, 3e9, -3e9, 2147483520, 0, -0);
    const whole = [1, -1, 0, 0, 2147483647, -2147483648, 2147483647, -2147483648, 2147483520, 0, 0];
    expect([...(await compute([x], (a) => ops.cast(a, "int32")))]).toEqual(whole);
    expect([...(await compute([x], (a) => ops.cast(a, "bool")))]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    expect([...(await compute([integers(16777217, -3)], (a) => ops.cast(a, "float32")))]).toEqual([16777216, -3]);
  });

  test("max and argmax: NaN wins, ties go to the first", async () => {
    for (const [values, at] of [
      [[1, 3, 2, 3], 1],
      [[1, NaN, 5, NaN], 1],
      [[-0, 0], 0],
      [[-Infinity, -Infinity], 0],
    ] as const) {
      expect([...(await compute([vector(...values)], (x) => reduce.argmax(x)))]).toEqual([at]);
      expectSameBits(await compute([vector(...values)], (x) => reduce.max(x)), arrayOf("float32", [values[at]]), "max");
    }
    expect([...(await compute([vector(2, NaN, 1)], (x) => reduce.argmin(x)))]).toEqual([1]);
    expect([...(await compute([vector(2, 1, 1)], (x) => reduce.argmin(x)))]).toEqual([1]);
    const grid = { dtype: "float32" as const, shape: [2, 3], data: arrayOf("float32", [1, 5, 2, 0, 4, 9]) };
    expect([...(await compute([grid], (x) => reduce.argmax(x)))]).toEqual([5]);
    expect([...(await compute([grid], (x) => reduce.argmax(x, { axis: 0 })))]).toEqual([0, 0, 1]);
  });

  test("sums of nothing, of bool, of scalars", async () => {
    const nothing = { dtype: "float32" as const, shape: [0, 2], data: new Float32Array(0) };
    expectSameBits(await compute([nothing], (x) => reduce.sum(x, { axis: 0 })), arrayOf("float32", [0, 0]), "empty");
    const flags = { dtype: "bool" as const, shape: [3], data: arrayOf("bool", [1, 0, 1]) };
    expect(await compute([flags], (x) => reduce.sum(x))).toEqual(new Int32Array([2]));
    expectSameBits(
      await compute([nothing], (x) => matmul(movement.transpose(x), x)),
      arrayOf("float32", [0, 0, 0, 0]),
      "depth 0",
    );
  });
});

describe("draws", () => {
  test("ranges in a trace are relative to the run's base, in program order; dead ones count", async () => {
    const graph = traceGraph({}, () => {
      const words = (count: number) => makeNode("randomWords", [], [count]);
      const [first] = [words(3), words(5)];
      return { outputs: { first, third: words(4) } };
    });
    expect(graph.draws).toBe(12);
    const [first, third] = await runGraph(backend, graph, [], { base: 2 ** 40 });
    const expected = new Uint32Array(12);
    fillWords(1234n, 2 ** 40, expected);
    expect(first).toEqual(expected.slice(0, 3));
    expect(third).toEqual(expected.slice(8, 12));
  });

  test("absolute ranges are relative to the graph's base", async () => {
    const { Node } = await import("../../src/graph/node.ts");
    const node = new Node({
      op: "randomWords",
      dtype: "uint32",
      shape: [4],
      draws: { offset: 1003, count: 4, seed: 7n },
    });
    const graph = {
      seed: 7n,
      inputs: [],
      outputs: [{ name: "y", node }],
      watched: [],
      state: [],
      draws: 4,
      base: 1000,
    };
    const expected = new Uint32Array(4);
    fillWords(7n, 503, expected);
    expect((await runGraph(backend, graph, [], { base: 500 }))[0]).toEqual(expected);
  });

  test("a permutation holds each number once", async () => {
    const values = await compute([], () => random.permutation(100));
    expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});

describe("the backend", () => {
  test("an index out of range is a ShapeError when run, naming index and place", async () => {
    for (const [index, build] of [
      [integers(0, 3), (x: Node, i: Node) => gather(x, i, 0)],
      [integers(-1, 0), (x: Node, i: Node) => gather(x, i, 0)],
      [integers(1, 9, 0), (x: Node, i: Node) => scatterAdd(i, x, 0, 2)],
    ] as const) {
      const error = await compute([vector(1, 2, 3), index], build).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(ShapeError);
      expect(error.message).toMatch(/index is out of range: got (3 at position 1|-1 at position 0|9 at position 1)/);
    }
  });

  test("state: outputs go where their inputs live, and are written after everything was read", async () => {
    const graph = traceGraph({ a: vector(0, 0), b: vector(0, 0) }, ({ a, b }) => ({
      outputs: { sum: ops.add(a, b), a: b, b: ops.mul(a, 2) },
      state: [
        ["a", "a"],
        ["b", "b"],
      ],
    }));
    const [sum, a, b] = await runGraph(backend, graph, [arrayOf("float32", [1, 2]), arrayOf("float32", [10, 20])]);
    expect([[...sum], [...a], [...b]]).toEqual([
      [11, 22],
      [10, 20],
      [2, 4],
    ]);
  });

  test("an input and a constant as outputs are copies", async () => {
    const constant = creation.fromValues([1, 2]);
    const graph = traceGraph({ x: vector(0, 0) }, ({ x }) => ({
      outputs: { x, again: movement.reshape(x, [2, 1]), constant },
    }));
    const plan = lower(graph);
    const [x, again, fixed] = await runPlan(backend, plan, [arrayOf("float32", [3, 4])]);
    expect([[...x], [...again], [...fixed]]).toEqual([
      [3, 4],
      [3, 4],
      [1, 2],
    ]);
    fixed.fill(9);
    expect([...constant.data!]).toEqual([1, 2]);
  });

  test("captured values stand for the nodes that made them", async () => {
    const outside = ops.add(creation.fromValues([1, 2]), 1);
    const graph = traceGraph({}, () => ({ outputs: { y: ops.mul(outside, 2) } }), {
      captured: new Map([[outside, arrayOf("float32", [100, 200])]]),
    });
    expect([...(await runGraph(backend, graph, []))[0]]).toEqual([200, 400]);
  });

  test("a leaf that nothing binds is refused when the plan is made or loaded", () => {
    const stray = creation.variable([2], "float32");
    const graph = traceGraph({}, () => ({ outputs: { y: ops.neg(stray) } }));
    expect(() => lower(graph)).toThrow(BackendError);
  });

  test("memory: a buffer of another size, or freed, is refused", async () => {
    const buffer = backend.allocate("float32", 3);
    expect(await backend.read(buffer)).toEqual(new Float32Array(3));
    expect(() => backend.write(buffer, new Float32Array(2))).toThrow(/sizes differ/);
    expect(() => backend.write(buffer, new Int32Array(3))).toThrow(
      /elements of another dtype: got Int32Array, expected/,
    );
    backend.free(buffer);
    await expect(async () => backend.read(buffer)).rejects.toThrow(BackendError);
  });
});
