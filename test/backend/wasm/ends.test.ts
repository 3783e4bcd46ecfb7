// Rows of few outputs, folded over other axes: what fills no vector runs as one that ends with the row, whatever the inputs' views, dtypes and bounds.
import { describe, test } from "vitest";
import { sizeOf } from "../../../src/core/shape.ts";
import { lessEqual } from "../../../src/ops/compare.ts";
import { mul } from "../../../src/ops/elementwise.ts";
import { slice, transpose } from "../../../src/ops/movement.ts";
import { pad } from "../../../src/ops/pad.ts";
import { argmax, max, min, sum } from "../../../src/ops/reduce.ts";
import { traceGraph } from "../../support/graphs.ts";
import { anyData } from "../../support/kernels.ts";
import { wasmVariants } from "../../support/wasm.ts";

describe("the reference's bits", () => {
  const holds = wasmVariants();

  test("for rows of any length", async () => {
    for (const columns of [3, 4, 5, 6, 7, 9, 14, 35, 39]) {
      const ports = {
        windows: { dtype: "float32" as const, shape: [16, 6, 2 * columns] },
        wide: { dtype: "int32" as const, shape: [16, 3, columns, 4] },
        long: { dtype: "float32" as const, shape: [16, 300, columns] },
      };
      const graph = traceGraph(ports, ({ windows, wide, long }) => {
        const half = (first: number) => slice(windows, [null, null, [first, 2 * columns, 2]]);
        const padded = pad(long, [
          [0, 0],
          [0, 0],
          [1, 2],
        ]);
        return {
          outputs: {
            every: sum(mul(half(0), half(1)), { axis: 1 }),
            backwards: max(slice(windows, [null, null, [-1, -2 * columns - 1, -1]]), { axis: 1 }),
            far: min(transpose(wide, [0, 1, 3, 2]), { axis: 1 }),
            which: argmax(slice(wide, [null, null, null, [0, 4, 2]]), 1),
            long: sum(padded, { axis: 1 }),
            flags: sum(lessEqual(long, 0), { axis: 1 }),
          },
        };
      });
      const inputs = Object.values(ports).map(({ dtype, shape }, i) =>
        anyData({ dtype, size: sizeOf(shape) }, 10 * columns + i),
      );
      await holds(graph, inputs);
    }
  });
});
