// Products in groups: what follows a product runs on the rows it has just made, forward, backward and in the optimizer's update, with the
// reference's bits.
import { describe, expect, test } from "vitest";
import { wordOf } from "../../../kernels/word.ts";
import { gradients } from "../../../src/autograd/grad.ts";
import { lower } from "../../../src/compile/lower.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import type { Node } from "../../../src/graph/node.ts";
import { gelu } from "../../../src/ops/activations.ts";
import { remainder } from "../../../src/ops/arithmetic.ts";
import { lessEqual } from "../../../src/ops/compare.ts";
import { dropout, linear, softmax } from "../../../src/ops/composite.ts";
import { conv2d } from "../../../src/ops/conv.ts";
import { coordinate } from "../../../src/ops/creation.ts";
import { broadcastTo } from "../../../src/ops/define.ts";
import { add, mul, relu, sqrt, sub, where } from "../../../src/ops/elementwise.ts";
import { takeAlongAxis } from "../../../src/ops/indexing.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { reshape, slice, swapAxes } from "../../../src/ops/movement.ts";
import { layerNorm } from "../../../src/ops/norm.ts";
import { mean, sum } from "../../../src/ops/reduce.ts";
import { groupKernels } from "../../../src/schedule/rows.ts";
import { transposeProducts } from "../../../src/schedule/transpose.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { wasmVariants } from "../../support/wasm.ts";

const kindsOf = (graph: Graph) => {
  const plan = lower(graph);
  return groupKernels(plan, transposeProducts(plan)).map(({ members }) => members.map(({ kernel }) => wordOf(kernel)));
};
const inputsOf = (graph: Graph) =>
  graph.inputs.map(({ node: { shape, dtype } }, i) => testData(shape, dtype, [-1, 1], i + 1).data);

/** Two layers with a residual connection and a norm. */
function layers(rows: number, width: number, inner: number): Graph {
  const float = (...shape: number[]) => ({ dtype: "float32" as const, shape });
  const ports = {
    x: float(rows, width),
    w1: float(inner, width),
    b1: float(inner),
    w2: float(width, inner),
    g: float(width),
  };
  return traceGraph(ports, ({ x, w1, b1, w2, g }) => {
    const hidden = relu(linear(x, w1, b1));
    const out = add(linear(hidden, w2), x);
    return { outputs: { hidden, y: layerNorm(out, g, undefined), p: softmax(out) } };
  });
}

/** A transformer's block, its gradients, and an update of every parameter in place. */
function block(batch: number, time: number, width: number, heads: number, inner: number): Graph {
  const float = (...shape: number[]) => ({ dtype: "float32" as const, shape });
  const parameters = {
    g1: float(width),
    b1: float(width),
    qkv: float(3 * width, width),
    qkvb: float(3 * width),
    out: float(width, width),
    g2: float(width),
    up: float(inner, width),
    upb: float(inner),
    down: float(width, inner),
  };
  const moments = Object.fromEntries(Object.entries(parameters).map(([name, port]) => [`${name}.m`, port]));
  const build = (nodes: Record<string, Node>) => {
    const { x, g1, b1, qkv, qkvb, out, g2, up, upb, down } = nodes;
    const joined = reshape(linear(layerNorm(x, g1, b1), qkv, qkvb), [batch, time, 3, heads, width / heads]);
    const [q, k, v] = [0, 1, 2].map((part) => swapAxes(slice(joined, [null, null, part]), 1, 2));
    const scores = mul(matmul(q, swapAxes(k)), Math.fround(1 / Math.sqrt(width / heads)));
    const seen = lessEqual(coordinate([time, time], 1), coordinate([time, time], 0));
    const weights = dropout(softmax(where(seen, scores, -Infinity)), 0.2);
    const attended = reshape(swapAxes(matmul(weights, v), 1, 2), [batch, time, width]);
    const middle = add(x, linear(attended, out));
    const end = add(middle, dropout(linear(gelu(linear(layerNorm(middle, g2, undefined), up, upb)), down), 0.1));
    const loss = mean(mul(end, end));
    const names = Object.keys(parameters);
    const found = gradients(
      loss,
      names.map((name) => nodes[name]),
    );
    const outputs: Record<string, Node> = { loss };
    names.forEach((name, i) => {
      const moment = add(mul(nodes[`${name}.m`], 0.9), mul(found[i], 0.1));
      outputs[`${name}.m`] = moment;
      outputs[name] = sub(nodes[name], mul(moment, sqrt(add(mul(moment, moment), 0.01))));
    });
    return { outputs, state: Object.keys(outputs).flatMap((name) => (name === "loss" ? [] : [[name, name] as const])) };
  };
  return traceGraph({ x: float(batch, time, width), ...parameters, ...moments }, build);
}

describe("products in groups", () => {
  const holds = wasmVariants();

  test.each([
    [32, 24, 17],
    [33, 8, 32],
    [100, 40, 9],
    [64, 300, 20],
    [131, 17, 70],
    [600, 9, 520],
  ])("layers of %i rows, %i and %i columns", async (rows, width, inner) => {
    const graph = layers(rows, width, inner);
    await holds(graph, inputsOf(graph));
  });

  test.each([
    [16, 8, 32, 2, 64],
    [9, 7, 24, 3, 40],
    [2, 20, 16, 2, 24],
    [8, 33, 8, 1, 300],
  ])("a transformer's block: batch %i, time %i, width %i, %i heads, %i inside", async (...sizes) => {
    const graph = block(...sizes);
    await holds(graph, inputsOf(graph));
  });

  test("what a group packs whole may be made in the phase that it runs in, and another group's after it", async () => {
    const float = (...shape: number[]) => ({ dtype: "float32" as const, shape });
    const ports = { x: float(2, 2, 4, 4), w: float(3, 2, 3, 3), m: float(3, 1, 1, 1), u: float(4, 3, 1, 1) };
    const graph = traceGraph(ports, ({ x, w, m, u }) => {
      const once = conv2d(x, mul(w, m));
      const twice = conv2d(relu(once), mul(u, sum(m)));
      const found = gradients(sum(mul(twice, twice)), [x, w, m, u]);
      return { outputs: Object.fromEntries(found.map((node, i) => [String(i), node])) };
    });
    await holds(graph, inputsOf(graph));
  });

  test("a product that is stored transposed is read by index along either of its axes", async () => {
    const float = (...shape: number[]) => ({ dtype: "float32" as const, shape });
    const ports = { x: float(5, 3), y: float(3, 7), n: { dtype: "int32" as const, shape: [7, 5] } };
    for (const axis of [0, 1]) {
      const graph = traceGraph(ports, ({ x, y, n }) => {
        const turned = swapAxes(matmul(x, y), 0, 1);
        const picked = takeAlongAxis(turned, remainder(n, axis === 0 ? 7 : 5), axis);
        return { outputs: { picked, sums: sum(mul(turned, turned), { axis: 1 }) } };
      });
      const { kernels } = lower(graph);
      expect(transposeProducts(lower(graph)).map(({ output }) => output)).toEqual(kernels.map(({ output }) => output));
      expect(transposeProducts(lower(graph))).not.toEqual(kernels);
      await holds(
        graph,
        graph.inputs.map(({ node: { shape, dtype } }, i) => testData(shape, dtype, [0, 90], i + 1).data),
      );
    }
  });

  test.each([
    [100, 3],
    [257, 7],
    [1023, 5],
  ])(
    "rows that are one axis with the columns, since both operands have one row for all: %i × %i",
    async (rows, columns) => {
      const float = (...shape: number[]) => ({ dtype: "float32" as const, shape });
      const graph = traceGraph({ x: float(1, 2), w: float(1, 2), b: float(1) }, ({ x, w, b }) => ({
        outputs: { y: linear(broadcastTo(x, [rows, 2]), broadcastTo(w, [columns, 2]), broadcastTo(b, [columns])) },
      }));
      await holds(graph, inputsOf(graph));
    },
  );

  test("bias, relu and residual run with their product", () => {
    const groups = kindsOf(layers(128, 32, 64)).filter((kinds) => kinds.includes("matmul"));
    expect(groups.flat().filter((kind) => kind === "matmul").length).toBe(2);
    for (const kinds of groups) expect(kinds[kinds.indexOf("matmul") + 1]).toBe("map");
  });

  test("a product with fewer rows than columns stays by itself: its columns are shared out", () => {
    for (const kinds of kindsOf(layers(40, 64, 96))) if (kinds.includes("matmul")) expect(kinds).toEqual(["matmul"]);
  });

  test("attention's scores, mask, softmax and both products are one group", () => {
    const together = kindsOf(block(16, 8, 32, 2, 64)).find(
      (kinds) => kinds.filter((kind) => kind === "matmul").length >= 2 && kinds.includes("reduce"),
    );
    expect(together).toBeDefined();
  });
});
