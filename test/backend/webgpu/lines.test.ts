// Sorts and prefixes on WebGPU over lines that take several runs, or a workgroup: reference's bits, stable, NaN last.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadBackend } from "../../../src/backend/load.ts";
import type { Backend } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import type { DType, TypedArray } from "../../../src/core/dtype.ts";
import type { Node } from "../../../src/graph/node.ts";
import { cummax, cummin, cumprod, cumsum } from "../../../src/ops/cumulative.ts";
import { argsort } from "../../../src/ops/sort.ts";
import { webgpuAlone } from "../../support/backends.ts";
import { expectSameBits, runPlan, traceGraph } from "../../support/graphs.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

/** Few values, so that many are equal, and every tenth one a zero of either sign, a subnormal, ∞ or NaN. */
const special = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** -149, -(2 ** -149)];
const floats = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => {
    const word = Math.imul(i + 1, 0x9e3779b1) >>> 0;
    return word % 10 === 0 ? special[(word >>> 8) % special.length] : ((word >>> 8) % 97) / 8 - 6;
  });
const integers = (count: number) =>
  Int32Array.from({ length: count }, (_, i) => {
    const word = Math.imul(i + 1, 0x9e3779b1);
    return word % 3 === 0 ? [2 ** 31 - 1, -(2 ** 31), 0][i % 3] : (word >> 8) % 50;
  });

describe.skipIf(noWebgpu)("on SwiftShader", () => {
  let webgpu: Backend;
  let reference: Backend;
  beforeAll(async () => {
    [webgpu, reference] = [await webgpuAlone(), await loadBackend("reference")];
  });
  afterAll(() => webgpu?.dispose());

  const agree = async (dtype: DType, shape: readonly number[], outputs: (x: Node) => Record<string, Node>) => {
    const plan = lower(traceGraph({ x: { dtype, shape } }, ({ x }) => ({ outputs: outputs(x) })));
    const size = shape.reduce((a, b) => a * b, 1);
    const inputs: TypedArray[] = [dtype === "float32" ? floats(size) : integers(size)];
    const expected = await runPlan(reference, plan, inputs);
    const got = await runPlan(webgpu, plan, inputs);
    for (const [i, { name }] of plan.outputs.entries()) expectSameBits(got[i], expected[i], `${dtype} ${name}`);
    return expected;
  };

  test.each([
    ["one run", [3, 31]],
    ["two runs, the second of one element", [2, 33]],
    ["a power of two of runs", [1024]],
    ["one run more than that, the last one short", [2, 1100]],
  ])("argsort over %s", async (_, shape) => {
    for (const dtype of ["float32", "int32"] as const) {
      const [up] = await agree(dtype, shape, (x) => ({ up: argsort(x), down: argsort(x, { descending: true }) }));
      const count = shape.at(-1)!;
      expect([...up.subarray(0, count)].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
    }
  });

  test("argsort along the first axis of two", () =>
    agree("float32", [600, 3], (x) => ({ up: argsort(x, { axis: 0 }) })));

  test.each([
    ["shorter than a workgroup's", [2, 127]],
    ["two elements an invocation", [2, 128]],
    ["the last invocations have none", [3, 129]],
  ])("prefixes of lines: %s", async (_, shape) => {
    await agree("int32", shape, (x) => ({ sum: cumsum(x), product: cumprod(x), max: cummax(x).indices }));
    await agree("float32", shape, (x) => ({
      sum: cumsum(x),
      max: cummax(x).indices,
      min: cummin(x).indices,
    }));
  });

  test("a prefix along the first axis of two", () =>
    agree("int32", [300, 2], (x) => ({ sum: cumsum(x, 0), min: cummin(x, 0).indices })));
});
