// Long expressions go in stages over strips of a row: the same operations on every element, whatever the row's length and views.
import { describe, test } from "vitest";
import type { Node } from "../../../src/graph/node.ts";
import { gelu } from "../../../src/ops/activations.ts";
import { greater } from "../../../src/ops/compare.ts";
import { add, cos, erf, exp, log, mul, sigmoid, sin, tanh, where } from "../../../src/ops/elementwise.ts";
import { slice, transpose } from "../../../src/ops/movement.ts";
import { normal } from "../../../src/ops/random.ts";
import { max, sum } from "../../../src/ops/reduce.ts";
import { tan } from "../../../src/ops/transcendental.ts";
import { traceGraph } from "../../support/graphs.ts";
import { anyData } from "../../support/kernels.ts";
import { wasmVariants } from "../../support/wasm.ts";

describe("strips", () => {
  const holds = wasmVariants();
  const all = (x: Node) => [exp, log, tanh, sigmoid, erf, gelu, sin, cos].map((op) => op(x));

  test.each([31, 32, 37, 256, 263, 519, 1032])("of %i elements", async (size) => {
    const graph = traceGraph({ x: { dtype: "float32", shape: [size] } }, ({ x }) => ({
      outputs: Object.fromEntries([...all(x), normal([size])].map((y, i) => [`y${i}`, y])),
    }));
    await holds(graph, [anyData({ dtype: "float32", size }, size)]);
  });

  test("of drawn numbers; at the end of some of the rows all take the tail, at others none", async () => {
    const graph = traceGraph({ column: { dtype: "float32", shape: [2500, 1] } }, ({ column }) => ({
      outputs: { rows: mul(normal([2500, 264]), column), flat: normal([5000]) },
    }));
    await holds(graph, [anyData({ dtype: "float32", size: 2500 }, 1, { plain: true })]);
  });

  test("of rows, with broadcast, sideways and bounded inputs, and a choice of two long sides", async () => {
    const shape = [5, 70];
    const ports = {
      x: { dtype: "float32" as const, shape },
      t: { dtype: "float32" as const, shape: [70, 5] },
      row: { dtype: "float32" as const, shape: [1, 70] },
      column: { dtype: "float32" as const, shape: [5, 1] },
    };
    const graph = traceGraph(ports, ({ x, t, row, column }) => ({
      outputs: {
        a: where(greater(x, row), gelu(add(x, column)), tanh(mul(transpose(t), row))),
        b: where(greater(erf(x), exp(column)), row, log(x)),
        c: gelu(slice(add(x, row), [null, [3, 68]])),
      },
    }));
    const inputs = Object.values(ports).map(({ dtype, shape: [a, b] }, i) => anyData({ dtype, size: a * b }, i + 1));
    await holds(graph, inputs);
  });

  test.each([31, 300, 1024, 2500])("that are folded, of %i elements", async (size) => {
    const shape = [3, size + 2];
    const graph = traceGraph({ x: { dtype: "float32", shape } }, ({ x }) => {
      const inner = slice(x, [null, [1, size + 1]]);
      return {
        outputs: {
          sum: sum(gelu(x), { axis: 1 }),
          max: max(mul(tanh(inner), sigmoid(inner)), { axis: 1 }),
          all: sum(exp(gelu(inner))),
        },
      };
    });
    await holds(graph, [anyData({ dtype: "float32", size: 3 * (size + 2) }, size, { plain: true })]);
  });

  test.each([1, 7, 37, 263, 1032])("of a choice whose other side is rarely wanted, %i elements", async (size) => {
    // One large angle among many others, at each place of a vector; of what is computed before, and one in another.
    const data = Float32Array.from({ length: size }, (_, i) => (i % 13 === 5 ? -3e38 / (i + 1) : i / 7 - 20));
    const graph = traceGraph({ x: { dtype: "float32", shape: [size] } }, ({ x }) => ({
      outputs: {
        alone: tan(x),
        fused: mul(sin(mul(x, 1e4)), add(cos(x), exp(sin(x)))),
        nested: sin(mul(tan(sin(mul(x, 3e4))), 1e6)),
      },
    }));
    await holds(graph, [data]);
  });

  test("where the result takes the place of what it is made from", async () => {
    const graph = traceGraph({ w: { dtype: "float32", shape: [777] } }, ({ w }) => ({
      outputs: { w: mul(gelu(w), sigmoid(w)) },
      state: [["w", "w"]],
    }));
    await holds(graph, [anyData({ dtype: "float32", size: 777 }, 3, { plain: true })], { times: 3 });
  });
});
