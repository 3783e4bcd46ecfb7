// Products over windows of images: packed straight from the image, whatever the windows, and whichever operand they are.
import { describe, expect, test } from "vitest";
import { wordOf } from "../../../kernels/word.ts";
import { gradients } from "../../../src/autograd/grad.ts";
import { lower } from "../../../src/compile/lower.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { conv2d } from "../../../src/ops/conv.ts";
import { mul, sub } from "../../../src/ops/elementwise.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { reshape, slice, transpose } from "../../../src/ops/movement.ts";
import { roundTo } from "../../../src/ops/precision.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { unfold } from "../../../src/ops/unfold.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { wasmVariants } from "../../support/wasm.ts";

interface Windows {
  readonly image: readonly [batch: number, channels: number, height: number, width: number];
  readonly filters: readonly [outputs: number, down: number, across: number];
  readonly stride?: number;
  readonly padding?: number;
}

const range: [number, number] = [-1, 1];
const float32 = "float32" as const;

/** A convolution and its gradients. */
function convolution({ image, filters: [outputs, down, across], stride, padding }: Windows): Graph {
  const ports = {
    x: { dtype: float32, shape: image },
    w: { dtype: float32, shape: [outputs, image[1], down, across] },
  };
  return traceGraph(ports, ({ x, w }) => {
    const y = conv2d(x, w, undefined, { stride, padding });
    const [dx, dw] = gradients(sum(mul(y, y)), [x, w]);
    return { outputs: { y, dx, dw } };
  });
}

const inputsOf = (graph: Graph) => graph.inputs.map(({ node }, i) => testData(node.shape, float32, range, i + 1).data);

describe("the reference's bits", () => {
  const holds = wasmVariants();

  test.each<Windows>([
    { image: [2, 3, 7, 8], filters: [5, 3, 3], padding: 1 },
    { image: [3, 1, 28, 28], filters: [6, 3, 3], padding: 1 },
    { image: [1, 5, 9, 11], filters: [1, 3, 2], stride: 2 },
    { image: [2, 4, 5, 5], filters: [9, 5, 5], padding: 2, stride: 3 },
    // Rows of windows that end within a panel, and within its halves.
    { image: [2, 3, 14, 14], filters: [5, 3, 3], padding: 1 },
    { image: [1, 2, 10, 6], filters: [4, 3, 3], padding: 1 },
    // One row, one column, one point of windows; windows that are as wide as the image.
    { image: [2, 3, 3, 9], filters: [4, 3, 3] },
    { image: [2, 3, 9, 3], filters: [4, 3, 3] },
    { image: [9, 2, 3, 3], filters: [4, 3, 3] },
    // Several chunks of terms, and several blocks of columns.
    { image: [2, 40, 6, 6], filters: [7, 3, 3], padding: 1 },
    { image: [2, 2, 24, 25], filters: [17, 2, 3], padding: 1 },
    // Filters of one point leave nothing to copy.
    { image: [2, 6, 5, 7], filters: [8, 1, 1] },
  ])("of a convolution and its gradients: %j", async (windows) => {
    const graph = convolution(windows);
    await holds(graph, inputsOf(graph));
  });

  test("of windows kept in 16 bits, on either side, of moving windows along one axis", async () => {
    const graph = traceGraph(
      { x: { dtype: float32, shape: [3, 40, 6] }, w: { dtype: float32, shape: [30, 11] } },
      ({ x, w }) => {
        const half = roundTo(mul(x, 0.5), "bfloat16");
        const windows = reshape(transpose(unfold(half, 1, 5), [0, 1, 3, 2]), [3, 36, 30]);
        return {
          outputs: { half, right: matmul(windows, w), left: matmul(transpose(w), transpose(windows, [0, 2, 1])) },
        };
      },
    );
    await holds(graph, inputsOf(graph));
  });

  test("of terms in pairs, where the fourth lies three behind the first but isn't its neighbour", async () => {
    const graph = traceGraph(
      { x: { dtype: float32, shape: [2, 2, 4] }, w: { dtype: float32, shape: [3, 8] } },
      ({ x, w }) => {
        const pairs = transpose(slice(x, [null, null, [0, 2]]), [1, 0, 2]);
        return {
          outputs: { right: matmul(w, reshape(pairs, [8, 1])), left: matmul(reshape(pairs, [1, 8]), transpose(w)) },
        };
      },
    );
    await holds(graph, inputsOf(graph));
  });

  test("of images that change afterwards", async () => {
    const graph = traceGraph(
      { x: { dtype: float32, shape: [2, 3, 8, 8] }, w: { dtype: float32, shape: [4, 3, 3, 3] } },
      ({ x, w }) => {
        const y = conv2d(x, w);
        return { outputs: { y, x: sub(x, 0.25) }, state: [["x", "x"]] };
      },
    );
    await holds(graph, inputsOf(graph));
  });
});

describe("a convolution's plan", () => {
  const words = (graph: Graph) => lower(graph).kernels.map(wordOf);

  test("pads, and multiplies; nothing is copied", () => {
    const forward = traceGraph(
      { x: { dtype: float32, shape: [2, 3, 7, 8] }, w: { dtype: float32, shape: [5, 3, 3, 3] } },
      ({ x, w }) => ({ outputs: { y: conv2d(x, w, undefined, { padding: 1 }) } }),
    );
    expect(words(forward)).toEqual(["map", "matmul"]);
    const product = lower(forward).kernels[1];
    expect(product.shape).toEqual([2, 5, 7, 8]);
    expect("fold" in product && product.fold).toMatchObject({ reduced: [3, 3, 3], order: "chunks" });
  });

  test("whose windows someone else reads too: they are copied once", () => {
    const graph = traceGraph(
      { x: { dtype: float32, shape: [4, 20] }, w: { dtype: float32, shape: [5, 6] } },
      ({ x, w }) => {
        const windows = reshape(unfold(x, 1, 5), [64, 5]);
        return { outputs: { y: matmul(windows, w), most: sum(mul(windows, windows), { axis: 0 }) } };
      },
    );
    expect(words(graph).filter((word) => word === "map").length).toBe(1);
  });
});
