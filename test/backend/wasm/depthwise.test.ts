// Sums of few terms over windows of a padded image, and gradients of windows that overlap: what is padded or added up in between isn't made, the borders are computed
// apart from the inside, and numbers beside an image are read and left out.
import { describe, expect, test } from "vitest";
import { children, topological } from "../../../kernels/expr.ts";
import { wordOf } from "../../../kernels/word.ts";
import { gradients } from "../../../src/autograd/grad.ts";
import { Memory } from "../../../src/backend/wasm/runtime/memory.ts";
import { lower } from "../../../src/compile/lower.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { type ConvOptions, conv1d, conv2d, conv3d } from "../../../src/ops/conv.ts";
import { mul, sub } from "../../../src/ops/elementwise.ts";
import { slice } from "../../../src/ops/movement.ts";
import { pad } from "../../../src/ops/pad.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { beside, inBands } from "../../../src/schedule/bands.ts";
import { mergeAxes, written } from "../../../src/schedule/merge.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { anyData } from "../../support/kernels.ts";
import { wasmVariants } from "../../support/wasm.ts";

interface Depthwise extends ConvOptions {
  readonly image: readonly number[];
  readonly filters: readonly number[];
}

const float32 = "float32" as const;

/** A convolution of each channel by itself and, unless it is `alone`, its gradients. */
function depthwise({ image, filters, ...options }: Depthwise, alone = false): Graph {
  const convolve = [conv1d, conv2d, conv3d][image.length - 3];
  return traceGraph({ x: { dtype: float32, shape: image }, w: { dtype: float32, shape: filters } }, ({ x, w }) => {
    const y = convolve(x, w, undefined, { ...options, groups: image[1] });
    const [dx, dw] = gradients(sum(mul(y, y)), [x, w]);
    const outputs: Record<string, Node> = alone ? { y } : { y, dx, dw };
    return { outputs };
  });
}

describe("the reference's bits", () => {
  const holds = wasmVariants();
  const cases: Depthwise[] = [
    { image: [2, 3, 28, 28], filters: [3, 1, 3, 3], padding: 1 },
    // Rows of two vectors and less, and of what fills none.
    { image: [17, 2, 6, 16], filters: [2, 1, 3, 3], padding: 1 },
    { image: [2, 2, 5, 15], filters: [2, 1, 3, 3], padding: 1 },
    { image: [3, 2, 19, 33], filters: [2, 1, 3, 3], padding: 1 },
    // One row of points, borders on one side, more than a filter's points beside the image, steps and gaps.
    { image: [2, 5, 1, 20], filters: [5, 1, 1, 3], padding: [0, 1] },
    { image: [1, 2, 17, 21], filters: [2, 1, 2, 2], padding: "same" },
    { image: [1, 2, 9, 40], filters: [2, 1, 3, 3], padding: 5 },
    { image: [1, 2, 16, 24], filters: [2, 1, 3, 3], padding: 1, stride: 2 },
    { image: [1, 2, 18, 26], filters: [2, 1, 3, 3], padding: 2, dilation: 2 },
    // Two filters a channel; sequences, volumes.
    { image: [2, 3, 8, 24], filters: [6, 1, 3, 3], padding: 1 },
    { image: [2, 3, 40], filters: [3, 1, 5], padding: 2 },
    { image: [2, 2, 4, 5, 18], filters: [2, 1, 2, 2, 2], padding: 1 },
    { image: [2, 3, 20, 20], filters: [3, 1, 5, 5], padding: 2 },
  ];

  test.each(cases)("of a depthwise convolution and its gradients: %j", async (given) => {
    const graph = depthwise(given);
    await holds(
      graph,
      graph.inputs.map(({ node }, i) => testData(node.shape, float32, [-1, 1], i + 1).data),
    );
  });

  test("where filters and images are infinite, NaN or −0: 0 beside an image times ∞ is NaN", async () => {
    const graph = depthwise(cases[0]);
    for (const seed of [1, 2, 3]) {
      await holds(
        graph,
        graph.inputs.map(({ node }, i) =>
          anyData({ dtype: float32, size: node.shape.reduce((a, b) => a * b) }, seed + i),
        ),
      );
    }
  });

  test("where the image is state, and changes afterwards", async () => {
    const ports = { x: { dtype: float32, shape: [2, 3, 9, 18] }, w: { dtype: float32, shape: [3, 1, 3, 3] } };
    const graph = traceGraph(ports, ({ x, w }) => ({
      outputs: { y: conv2d(x, w, undefined, { padding: 1, groups: 3 }), x: sub(x, 0.25) },
      state: [["x", "x"]],
    }));
    await holds(
      graph,
      graph.inputs.map(({ node }, i) => testData(node.shape, float32, [-1, 1], i + 1).data),
    );
  });

  test("of sums of rows that lie apart, of one vector and of many, wherever a block of 1024 ends", async () => {
    const sizes = [[5, 4], [7, 4], [40, 28], [37, 28], [32, 32], [64, 32], [61, 12], [300, 20], [50, 64], [33, 68], [40, 7]]; // biome-ignore format: one line
    for (const [rows, columns] of sizes) {
      const ports = {
        x: { dtype: float32, shape: [3, rows, columns + 3] },
        y: { dtype: float32, shape: [3, rows, columns] },
      };
      const graph = traceGraph(ports, ({ x, y }) => {
        const inner = slice(x, [null, null, [2, columns + 2]]);
        const rest = slice(pad(y, [[0, 0], [1, 1], [0, 0]]), [null, [0, rows], null]); // biome-ignore format: one line
        const over = { axis: [1, 2] };
        return { outputs: { sums: sum(mul(inner, y), over), padded: sum(mul(inner, rest), over), whole: sum(inner) } };
      });
      const data = graph.inputs.map(({ node }, i) => testData(node.shape, float32, [-1, 1], i + 1).data);
      await holds(graph, data);
      for (const each of data) (each as Float32Array)[5] = Number.NaN;
      await holds(graph, data);
    }
  });

  test("of rows with ends of any length", async () => {
    for (const ends of [1, 3, 4, 5, 8, 9]) {
      const graph = traceGraph({ x: { dtype: float32, shape: [3, 5, 22] } }, ({ x }) => ({
        outputs: { y: mul(pad(x, [[0, 0], [1, 0], [ends, 9 - ends]], 1), 3) }, // biome-ignore format: one line
      }));
      await holds(graph, [testData([3, 5, 22], float32, [-1, 1], ends).data]);
    }
  });
});

describe("a depthwise convolution's plan", () => {
  const words = (graph: Graph) => lower(graph).kernels.map(wordOf);
  const own: Depthwise = { image: [2, 3, 12, 28], filters: [3, 1, 3, 3], padding: 1 };

  test("reads the image where it lies, and each gradient's windows too", () => {
    expect(words(depthwise(own, true))).toEqual(["map"]);
    expect(words(depthwise(own)).filter((word) => word === "map").length).toBe(4);
  });

  test("pads for more terms than registers have room for, and for rows of several filters' products", () => {
    expect(words(depthwise({ ...own, filters: [3, 1, 5, 5], padding: 2 }, true))).toEqual(["map", "matmul"]);
    const image = { ...own, filters: [6, 1, 3, 3] };
    expect(words(depthwise(image, true))).toEqual(["map", "matmul"]);
  });

  test("asks nothing inside: there its nine terms are products and sums alone, of one address", () => {
    const [kernel] = lower(depthwise(own, true)).kernels;
    if (kernel.kind !== "loop") throw new Error("not a loop");
    const nest = mergeAxes(kernel.shape, [...kernel.inputs, written(kernel)]);
    const { nest: shared, bands } = inBands(nest, kernel.body, 8)!;
    expect(bands.map(({ begin, end }) => [begin, end])).toEqual([[0, 1], [1, 11], [11, 12]]); // biome-ignore format: one line
    const [, inside] = bands[1].segments;
    expect([inside.begin, inside.end]).toEqual([8, 20]);
    expect(JSON.stringify(inside.body)).not.toMatch(/select|compare/);
    for (const at of [0, 2]) {
      // An end asks one thing, which is known beforehand of each point that is computed at once.
      const asked = topological(bands[1].segments[at].body!).filter(({ kind }) => kind === "compare");
      expect(asked.length).toBe(1);
      expect(children(asked[0]).some((each) => each.kind === "input" && shared.inputs[each.index].isPlace)).toBe(true);
    }
    const addresses = shared.inputs.filter(({ source, like }) => typeof source === "number" && like === undefined);
    expect(addresses.length).toBe(3);
  });
});

test("memory ends later than what is given out, so that elements beside it may be read", () => {
  const memory = new Memory({ shared: false });
  for (const bytes of [65536, 64, 3 * 65536 - 64, 1 << 20]) {
    const end = memory.allocate(bytes) + bytes;
    expect(end + 4 * beside).toBeLessThanOrEqual(memory.memory.buffer.byteLength);
  }
});
