// Long rows that no single stride walks: the bits of reference, in scratch memory of two blocks however long the row is.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceBackend } from "../../../src/backend/reference.ts";
import { wasmBackend } from "../../../src/backend/wasm/backend.ts";
import type { Backend } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import { sizeOf } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { cast, exp, mul } from "../../../src/ops/elementwise.ts";
import { flip, reshape, slice, transpose } from "../../../src/ops/movement.ts";
import { pad } from "../../../src/ops/pad.ts";
import { argmax, argmin, max, min, sum } from "../../../src/ops/reduce.ts";
import { schedulePlan } from "../../../src/schedule/schedule.ts";
import { expectSameBits, runPlan, testData, traceGraph } from "../../support/graphs.ts";
import { wasmTarget } from "../../support/wasm.ts";

const reference = referenceBackend();
const planOf = (shape: readonly number[], build: (x: Node) => Node) =>
  lower(traceGraph({ x: { dtype: "float32", shape } }, ({ x }) => ({ outputs: { y: build(x) } })));

/** Each with rows of several blocks, and rows of pieces that are shorter, as long and longer than a block. */
const cases: readonly [string, readonly number[], (x: Node) => Node][] = [
  ["transposed", [70, 61], (x) => transpose(x, [1, 0])],
  ["transposed, rows of blocks", [5, 1024], (x) => transpose(x, [1, 0])],
  ["a window", [3, 60, 70], (x) => slice(x, [null, [1, 59], [2, 68]])],
  ["wide windows", [2, 4, 3000], (x) => slice(x, [null, [0, 4], [1, 2902]])],
  ["padded", [4000], (x) => pad(x, [[7, 1111]])],
  [
    "padded on both axes",
    [40, 90],
    (x) =>
      pad(x, [
        [1, 2],
        [3, 40],
      ]),
  ],
  ["backwards", [30, 100], (x) => flip(x, [0])],
];
const folds: readonly [string, (x: Node, options: { axis: number[] }) => Node][] = [
  ["sum", (x, options) => sum(mul(exp(x), 1.5), options)],
  ["max", (x, options) => max(x, options)],
  ["min of integers", (x, options) => min(cast(mul(x, 1000), "int32"), options)],
];

describe.each([
  ["SIMD", { threads: 1 }],
  ["scalar", { threads: 1, simd: false }],
  ["three threads", { threads: 3, shareFrom: 0 }],
] as const)("%s", (_, options) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await wasmBackend(options);
  });
  afterAll(() => backend.dispose());

  const agrees = async (name: string, shape: readonly number[], build: (x: Node) => Node) => {
    const plan = planOf(shape, build);
    const inputs = [testData(shape, "float32", [-1, 1], 3).data];
    const [expected] = await runPlan(reference, plan, inputs);
    expectSameBits((await runPlan(backend, plan, inputs))[0], expected, name);
  };

  test.each(cases)("%s", async (name, shape, view) => {
    for (const [fold, apply] of folds) {
      await agrees(`${fold}, ${name}`, shape, (x) => {
        const seen = view(x);
        return apply(seen, { axis: seen.shape.map((_, i) => i) });
      });
    }
    for (const place of [argmax, argmin]) {
      await agrees(`${place.name}, ${name}`, shape, (x) => {
        const seen = view(x);
        return place(reshape(seen, [sizeOf(seen.shape)]), { axis: 0 });
      });
    }
  });

  test("several rows of several pieces, the last axes reduced", async () => {
    for (const [fold, apply] of folds)
      await agrees(fold, [3, 50, 60], (x) =>
        apply(
          pad(x, [
            [0, 0],
            [1, 0],
            [0, 9],
          ]),
          { axis: [1, 2] },
        ),
      );
  });
});

test("scratch memory doesn't grow with the row", () => {
  const bytes = (rows: number) => {
    const plan = planOf([rows, 61], (x) => sum(exp(transpose(x, [1, 0])), { axis: [0, 1] }));
    return schedulePlan(plan, { ...wasmTarget, threads: 2 }).scratchBytes;
  };
  expect(bytes(100)).toBeLessThan(32_768);
  expect(bytes(60_000)).toBe(bytes(100));
});
