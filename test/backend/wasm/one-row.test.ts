// Products of one row: without packing where the columns are neighbours in memory, alone, in a batch and in a group, with the reference's bits.
import { describe, expect, test } from "vitest";
import { lower } from "../../../src/compile/lower.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { conv2d } from "../../../src/ops/conv.ts";
import { add, relu } from "../../../src/ops/elementwise.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { swapAxes } from "../../../src/ops/movement.ts";
import { schedulePlan } from "../../../src/schedule/schedule.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { wasmTarget, wasmVariants } from "../../support/wasm.ts";

const graphOf = (shapes: Record<string, readonly number[]>, build: (nodes: Record<string, Node>) => Node) =>
  traceGraph(
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { dtype: "float32" as const, shape }])),
    (nodes) => ({ outputs: { y: build(nodes) } }),
  );
const loopsOf = (graph: Graph) =>
  schedulePlan(lower(graph), wasmTarget).groups.flatMap(({ members }) =>
    members.flatMap(({ loops }) => loops.map(({ kind }) => kind)),
  );
const inputsOf = (graph: Graph) =>
  graph.inputs.map(({ node: { shape, dtype } }, i) => testData(shape, dtype, [-1, 1], i + 1).data);

describe("products of one row", () => {
  const holds = wasmVariants();
  const cases: readonly (readonly [string, Graph, string])[] = [
    ["by neighbours", graphOf({ x: [1, 300], w: [300, 67] }, ({ x, w }) => matmul(x, w)), "strided fold"],
    ["by columns apart", graphOf({ x: [1, 300], w: [67, 300] }, ({ x, w }) => matmul(x, swapAxes(w))), "product"],
    ["of two rows", graphOf({ x: [2, 300], w: [300, 67] }, ({ x, w }) => matmul(x, w)), "product"],
    [
      "in a batch, in a group with what follows",
      graphOf({ x: [24, 1, 20], w: [24, 20, 33], b: [24, 1, 33] }, ({ x, w, b }) => relu(add(matmul(x, w), b))),
      "strided fold",
    ],
    [
      "of windows, a filter for each channel",
      graphOf({ x: [3, 16, 9, 11], w: [16, 1, 5, 5] }, ({ x, w }) =>
        relu(conv2d(x, w, undefined, { padding: 2, groups: 16 })),
      ),
      "strided fold",
    ],
    [
      "of windows for one channel, the same filter for a batch",
      graphOf({ x: [16, 3, 9, 11], w: [1, 3, 3, 3] }, ({ x, w }) => relu(conv2d(x, w))),
      "strided fold",
    ],
  ];
  test.each(cases)("%s", async (_, graph, kind) => {
    expect(loopsOf(graph).filter((each) => each === "product" || each === "strided fold")).toEqual([kind]);
    await holds(graph, inputsOf(graph));
  });
});
