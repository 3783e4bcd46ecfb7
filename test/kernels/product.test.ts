// A product of matrices is a loop like any other: found by its form, whoever wrote it, and computed with the same bits.
import { describe, expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import { type KernelInput, kernelInputs, type LoopKernel, mapInputs } from "../../kernels/kernel.ts";
import { asProduct, productViews } from "../../kernels/product.ts";
import { contiguousView, transposeView } from "../../kernels/view.ts";
import { wordOf } from "../../kernels/word.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import { lower } from "../../src/compile/lower.ts";
import { broadcastTo } from "../../src/ops/define.ts";
import { mul } from "../../src/ops/elementwise.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { sum } from "../../src/ops/reduce.ts";
import { expectSameBits, runPlan, testData, traceGraph } from "../support/graphs.ts";

const views = productViews(contiguousView([2, 3, 5]), contiguousView([2, 5, 4]));
const [left, right] = views.map((view, source): KernelInput => ({ source, dtype: "float32", view }));
const product: LoopKernel = {
  kind: "loop",
  output: 2,
  dtype: "float32",
  shape: [2, 3, 4],
  inputs: [left, right],
  body: e.mul(e.input(0, "float32"), e.input(1, "float32")),
  fold: { reduced: [5], combine: "sum", order: "chunks" },
};

describe("a loop is found to be a product", () => {
  test("with its operands over their own axes, in either order", () => {
    const found = { batch: [2], rows: 3, columns: 4, depth: 5 };
    expect(asProduct(product)).toMatchObject(found);
    const [a, b] = [asProduct(product)!.a, asProduct(product)!.b];
    expect([a.view, b.view]).toEqual([contiguousView([2, 3, 5]), contiguousView([2, 5, 4])]);
    const turned = { ...product, inputs: [right, left] };
    expect(asProduct(turned)).toEqual(asProduct(product));
    const crossed = { ...product, body: e.mul(e.input(1, "float32"), e.input(0, "float32")) };
    expect(asProduct(crossed)).toEqual(asProduct(product));
  });

  test("sideways too", () => {
    const order = [0, 2, 1];
    const shape = order.map((axis) => product.shape[axis]);
    const turn = (input: KernelInput) => ({ ...input, view: transposeView(input.view, [...order, 3]) });
    const { a, b } = asProduct({ ...mapInputs(product, turn), shape })!;
    expect([a.source, b.source, a.view.shape, b.view.shape]).toEqual([1, 0, [2, 4, 5], [2, 5, 3]]);
  });

  test("of several axes each: a convolution's rows, columns and terms", () => {
    const strides = { filters: [0, 27, 0, 0, 3, 1, 9], image: [108, 0, 6, 1, 6, 1, 36] };
    const bounds = strides.image.map(() => null);
    const shape = [2, 7, 4, 4, 3, 3, 3];
    const [w, x] = [strides.filters, strides.image].map(
      (each, source): KernelInput => ({ source, dtype: "float32", view: { shape, strides: each, bounds, offset: 0 } }),
    );
    const fold = { ...product.fold!, reduced: [3, 3, 3] };
    const found = asProduct({ ...product, shape: [2, 7, 4, 4], inputs: [x, w], fold })!;
    expect(found).toMatchObject({ batch: [2], rows: 7, columns: 16, depth: 27 });
    expect(found.axes).toEqual({ rows: 1, columns: 2, depth: 3 });
    expect([found.a.source, found.a.view.strides]).toEqual([0, [0, 27, 3, 1, 9]]);
    expect([found.b.source, found.b.view.strides]).toEqual([1, [108, 6, 1, 36, 6, 1]]);
  });

  const { fold } = product;
  const index = {
    at: { source: 3, dtype: "int32", view: contiguousView([2, 3, 4, 5]) },
    extent: 2,
    stride: 1,
  } as const;
  test.each<[string, LoopKernel]>([
    ["another order", { ...product, fold: { ...fold!, order: "lanes" } }],
    ["another fold", { ...product, fold: { ...fold!, combine: "max" } }],
    ["no fold", { ...product, fold: undefined, shape: [2, 3, 4, 5] }],
    ["another body", { ...product, body: e.add(e.input(0, "float32"), e.input(1, "float32")) }],
    ["a square", { ...product, body: e.mul(e.input(0, "float32"), e.input(0, "float32")) }],
    [
      "both along the columns",
      { ...product, inputs: [{ ...left, view: { ...left.view, strides: [60, 20, 5, 1] } }, right] },
    ],
    [
      "bounds",
      { ...product, inputs: [left, { ...right, view: { ...right.view, bounds: [[0, 1], null, null, null] } }] },
    ],
    ["an index", { ...product, inputs: [left, { ...right, index }] }],
  ])("not with %s", (_, kernel) => {
    expect(asProduct(kernel)).toBeNull();
    expect(wordOf(kernel)).not.toBe("matmul");
  });

  test("what is read by an index is read, and changed, with its index", () => {
    const kernel = { ...product, inputs: [left, { ...right, index }] };
    expect(kernelInputs(kernel).map(({ source }) => source)).toEqual([0, 1, 3]);
    const moved = mapInputs(kernel, (input) => ({ ...input, source: (input.source as number) + 10 }));
    expect(kernelInputs(moved).map(({ source }) => source)).toEqual([10, 11, 13]);
  });
});

test.each([0, 1, 256, 300, 513])(
  "a sum of products over depth %i, written by hand, is a product with a product's bits",
  async (depth) => {
    const shapes = { x: [depth, 9, 1], y: [depth, 1, 11] };
    const inputs = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, { dtype: "float32", shape }] as const),
    );
    const plan = lower(
      traceGraph(inputs, ({ x, y }) => {
        const whole = [depth, 9, 11];
        return { outputs: { z: sum(mul(broadcastTo(x, whole), broadcastTo(y, whole)), { axis: 0 }) } };
      }),
    );
    expect(plan.kernels.map(wordOf)).toEqual(["matmul"]);
    const data = Object.values(shapes).map((shape, i) => testData(shape, "float32", [-1, 1], i + 1).data);
    const [expected] = await runPlan(referenceBackend(), plan, data);
    const wasm = await wasmBackend();
    expectSameBits((await runPlan(wasm, plan, data))[0], expected, "wasm");
    const flat = lower(
      traceGraph(
        { a: { dtype: "float32", shape: [9, depth] }, b: { dtype: "float32", shape: [depth, 11] } },
        ({ a, b }) => ({ outputs: { z: matmul(a, b) } }),
      ),
    );
    const columns = new Float32Array(9 * depth).map((_, i) => data[0][(i % depth) * 9 + Math.floor(i / depth)]);
    expectSameBits((await runPlan(wasm, flat, [columns, data[1]]))[0], expected, "matmul");
    await wasm.dispose();
  },
);
