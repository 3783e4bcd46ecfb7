// Products whose left operand is read where it lies: rows that fill tiles and some that don't, of any distance, around the borders of chunks and panels.
import { describe, test } from "vitest";
import { matmul } from "../../../src/ops/matmul.ts";
import { slice, transpose } from "../../../src/ops/movement.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { wasmVariants } from "../../support/wasm.ts";

describe("the reference's bits", () => {
  const holds = wasmVariants();

  test.each([1, 15, 16, 17, 255, 257, 530])("of rows of %d terms", async (depth) => {
    for (const [rows, columns] of [
      [2, 5],
      [4, 16],
      [7, 17],
      [33, 40],
    ]) {
      const float = (...shape: number[]) => ({ dtype: "float32" as const, shape });
      const ports = {
        a: float(2, rows, depth),
        wide: float(rows, depth + 3),
        b: float(depth, columns),
        tall: float(depth, rows),
      };
      const graph = traceGraph(ports, ({ a, wide, b, tall }) => ({
        outputs: {
          batch: matmul(a, b),
          apart: matmul(slice(wide, [null, [2, depth + 2]]), b),
          backwards: matmul(
            slice(wide, [
              [-1, -rows - 1, -1],
              [1, depth + 1],
            ]),
            b,
          ),
          packed: matmul(transpose(tall), b),
        },
      }));
      const inputs = Object.values(ports).map(({ dtype, shape }, i) => testData(shape, dtype, [-1, 1], i + 1).data);
      await holds(graph, inputs);
    }
  });
});
