// Prefixes along lines: neighbours in vectors, lines apart in memory several at a time, what is left over one by one; and sorting, whole and the first few:
// lists and digits, elements passed over in vectors. With the reference's bits.
import { describe, expect, test } from "vitest";
import type { SortKernel } from "../../../kernels/sort.ts";
import { lower } from "../../../src/compile/lower.ts";
import { cummax, cummin, cumprod, cumsum } from "../../../src/ops/cumulative.ts";
import { full } from "../../../src/ops/define.ts";
import { gather } from "../../../src/ops/gather.ts";
import { transpose } from "../../../src/ops/movement.ts";
import { recurrence } from "../../../src/ops/prefix.ts";
import { argsort, median, sort, topK } from "../../../src/ops/sort.ts";
import { keepFirst } from "../../../src/schedule/first.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { wasmVariants } from "../../support/wasm.ts";

describe("prefixes", () => {
  const holds = wasmVariants();

  test.each([
    [[1, 40], 1],
    [[3, 17], 1],
    [[4, 33], 1],
    [[23, 9], 1],
    [[7, 5, 6], 1],
    [[5, 6, 19], 1],
    [[9, 7], 0],
    [[2, 9, 1], 1],
  ])("of %j along axis %i", async (shape, axis) => {
    const port = { dtype: "float32", shape } as const;
    const graph = traceGraph({ x: port, a: port }, ({ x, a }) => {
      const { values, indices } = cummax(x, axis);
      return {
        outputs: { s: cumsum(x, axis), p: cumprod(x, axis), r: recurrence(axis, a, x), values, indices },
      };
    });
    await holds(
      graph,
      [1, 2].map((seed) => testData(shape, "float32", [-1, 1], seed).data),
    );
  });
});

describe("where the best so far is", () => {
  const holds = wasmVariants();

  test.each([[64], [79], [200]])(
    "in lines of %i, with ties, NaN early and late, and whole vectors that are no better",
    async (count) => {
      const shape = [5, count];
      const graph = traceGraph({ x: { dtype: "float32", shape }, n: { dtype: "int32", shape } }, ({ x, n }) => ({
        outputs: {
          ...{ largest: cummax(x, 1).indices, values: cummax(x, 1).values, least: cummin(x, 1).indices },
          ...{ integers: cummax(n, 1).indices, leastInteger: cummin(n, 1).values },
        },
      }));
      const floats = testData(shape, "float32", [-1, 1], 3).data.map((each, i) => {
        const [line, at] = [Math.floor(i / count), i % count];
        if (line === 1) return at === count - 3 || at === 40 ? NaN : Math.fround(at / count);
        if (line === 2) return at === 0 ? -Infinity : at % 20 === 0 ? 0 : -0;
        if (line === 3) return at === 0 ? NaN : each;
        return line === 4 ? -Infinity : each;
      });
      await holds(graph, [floats, testData(shape, "int32", [-5, 5], 4).data]);
    },
  );
});

describe("sorting", () => {
  const holds = wasmVariants();
  const rough = [0, -0, 2, NaN, -3, Infinity, 2, 1e-42, -Infinity, NaN, -1e-42];
  const mixed = (count: number, seed: number, share: number) =>
    testData([count], "float32", [-1, 1], seed).data.map((each, i) =>
      (i * 2654435761) % 100 < 100 * share ? rough[(i * 7919) % rough.length] : each,
    );

  test.each([
    [[3, 200], 1, 1],
    [[3, 201], 1, 10],
    [[2, 600], 1, 48],
    [[2, 600], 1, 49],
    [[2, 48], 1, 47],
    [[2, 49], 1, 49],
    [[300, 5], 0, 7],
    [[2, 100, 3], 1, 25],
    [[1, 5], 1, 5],
  ])("of %j along axis %i, and the first %i", async (shape, axis, k) => {
    const graph = traceGraph({ x: { dtype: "float32", shape }, n: { dtype: "int32", shape } }, ({ x, n }) => {
      const of = (each: typeof x, largest: boolean) => topK(each, k, { axis, largest });
      return {
        outputs: {
          ...{ largest: of(x, true).values, where: of(x, true).indices, least: of(x, false).indices },
          ...{ integers: of(n, true).values, leastIntegers: of(n, false).indices },
          ...{ all: argsort(x, axis), sorted: sort(n, { axis, descending: true }), middle: median(x, { axis }) },
        },
      };
    });
    const count = shape.reduce((a, b) => a * b);
    for (const [seed, share] of [0, 0.1, 0.9, 1].entries()) {
      const integers = testData(shape, "int32", seed % 2 ? [-3, 3] : [-(2 ** 31), 2 ** 31], seed).data;
      await holds(graph, [mixed(count, seed, share), integers]);
    }
  });

  test("of which only the first few are read puts no more in order", () => {
    const keptOf = (build: Parameters<typeof traceGraph>[1], shape = [4, 50]) => {
      const plan = lower(traceGraph({ x: { dtype: "float32", shape } }, build));
      return keepFirst(plan, plan.kernels)
        .filter((each): each is SortKernel => each.kind === "sort")
        .map(({ kept }) => kept);
    };
    expect(keptOf(({ x }) => ({ outputs: { y: topK(x, 3).values } }))).toEqual([3]);
    expect(keptOf(({ x }) => ({ outputs: { y: topK(x, 3, { axis: 0 }).indices } }))).toEqual([3]);
    expect(keptOf(({ x }) => ({ outputs: { y: topK(x, 2, { axis: 1 }).indices } }), [3, 9, 5])).toEqual([2]);
    expect(keptOf(({ x }) => ({ outputs: { y: argsort(x) } }))).toEqual([undefined]);
    expect(keptOf(({ x }) => ({ outputs: { y: sort(x) } }))).toEqual([undefined]);
    const picked = full([4, 2], 7, "int32");
    expect(keptOf(({ x }) => ({ outputs: { y: gather(argsort(x), picked, 1) } }))).toEqual([undefined]);
    expect(keptOf(({ x }) => ({ outputs: { y: gather(topK(x, 3).indices, picked, 1) } }))).toEqual([3]);
  });

  test("read by an index that is data are whole", async () => {
    const ports = { x: { dtype: "float32", shape: [6, 50] }, i: { dtype: "int32", shape: [6, 4] } } as const;
    const graph = traceGraph(ports, ({ x, i }) => ({
      outputs: {
        along: gather(argsort(x), i, 1),
        first: gather(topK(x, 40).values, i, 1),
        lines: gather(transpose(sort(x)), transpose(i), 0),
      },
    }));
    const places = testData([6, 4], "int32", [0, 5], 2).data;
    await holds(graph, [testData([6, 50], "float32", [-1, 1], 1).data, places]);
  });
});
