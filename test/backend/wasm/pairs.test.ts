// Rows of a map whose last axis has two points: they are read in pairs, so that four elements are computed at once whatever the inputs' views.
import { describe, test } from "vitest";
import { sizeOf } from "../../../src/core/shape.ts";
import * as activations from "../../../src/ops/activations.ts";
import { notEqual } from "../../../src/ops/compare.ts";
import { coordinate } from "../../../src/ops/creation.ts";
import { broadcastTo } from "../../../src/ops/define.ts";
import * as ops from "../../../src/ops/elementwise.ts";
import { reshape, slice, transpose } from "../../../src/ops/movement.ts";
import { roundTo } from "../../../src/ops/precision.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { traceGraph } from "../../support/graphs.ts";
import { anyData } from "../../support/kernels.ts";
import { wasmVariants } from "../../support/wasm.ts";

describe("the reference's bits", () => {
  const holds = wasmVariants();

  test("of views and dtypes of every kind, for rows of any length", async () => {
    for (const pairs of [1, 2, 3, 4, 7, 8, 33, 70]) {
      const shape = [3, pairs, 2];
      const ports = {
        float: { dtype: "float32" as const, shape: [3, pairs, 1] },
        int: { dtype: "int32" as const, shape: [2, 3, pairs] },
        word: { dtype: "int32" as const, shape: [3, pairs, 4] },
        flag: { dtype: "bool" as const, shape: [3, 1, 2] },
        each: { dtype: "bool" as const, shape: [1, pairs, 1] },
      };
      const graph = traceGraph(ports, ({ float, int, word, flag, each }) => {
        const [twice, first, some] = [float, flag, each].map((node) => broadcastTo(node, shape));
        const sideways = transpose(int, [1, 2, 0]);
        const backwards = slice(word, [null, null, [3, -5, -2]]);
        const place = ops.add(ops.mul(coordinate(shape, 1), -2), coordinate(shape, 2));
        const number = ops.add(ops.cast(backwards, "float32"), ops.cast(place, "float32"));
        return {
          outputs: {
            all: ops.where(first, ops.add(twice, number), ops.where(some, twice, ops.cast(sideways, "float32"))),
            flag: ops.cast(ops.cast(first, "int32"), "bool"),
            int: ops.add(sideways, place),
            bool: notEqual(ops.cast(first, "int32"), ops.cast(some, "int32")),
          },
        };
      });
      const inputs = Object.values(ports).map(({ dtype, shape: extents }, i) =>
        anyData({ dtype, size: sizeOf(extents) }, 10 * pairs + i),
      );
      await holds(graph, inputs);
    }
  });

  test("in a group of kernels that walk the same rows", async () => {
    for (const pairs of [2, 3, 7]) {
      const ports = {
        half: { dtype: "float32" as const, shape: [16, pairs, 1] },
        x: { dtype: "float32" as const, shape: [16, pairs, 2] },
      };
      const graph = traceGraph(ports, ({ half, x }) => {
        const y = ops.add(half, x);
        return { outputs: { y, sums: sum(y, { axis: [1, 2] }), again: ops.mul(y, half) } };
      });
      const inputs = Object.values(ports).map(({ dtype, shape }, i) => anyData({ dtype, size: sizeOf(shape) }, i));
      await holds(graph, inputs);
    }
  });

  test("of long expressions, and of numbers kept in 16 bits", async () => {
    for (const columns of [16, 19]) {
      const shape = [4, columns];
      const graph = traceGraph(
        { x: { dtype: "float32", shape }, y: { dtype: "float32", shape: [4, columns, 2] } },
        ({ x, y }) => {
          const twice = (node: typeof x) => broadcastTo(reshape(node, [4, columns, 1]), [4, columns, 2]);
          const narrow = roundTo(ops.mul(x, x), "bfloat16");
          return {
            outputs: {
              long: activations.gelu(ops.mul(twice(x), y)),
              narrow: ops.add(twice(narrow), y),
              again: ops.add(narrow, 1),
              reversed: ops.sub(y, slice(y, [null, null, [1, -3, -1]])),
            },
          };
        },
      );
      await holds(
        graph,
        [4 * columns, 8 * columns].map((size, i) => anyData({ dtype: "float32", size }, columns + i)),
      );
    }
  });
});
