// Prefixes along lines: neighbours in vectors, lines apart in memory several at a time, what is left over one by one, with the reference's bits.
import { describe, test } from "vitest";
import { cummax, cumprod, cumsum } from "../../../src/ops/cumulative.ts";
import { recurrence } from "../../../src/ops/prefix.ts";
import { testData, traceGraph } from "../../support/graphs.ts";
import { wasmVariants } from "../../support/wasm.ts";

describe("prefixes", () => {
  const holds = wasmVariants();

  test.each([
    [[1, 40], 1],
    [[3, 17], 1],
    [[4, 33], 1],
    [[23, 9], 1],
    [[7, 5, 6], 1],
    [[5, 6, 19], 1],
    [[9, 7], 0],
    [[2, 9, 1], 1],
  ])("of %j along axis %i", async (shape, axis) => {
    const port = { dtype: "float32", shape } as const;
    const graph = traceGraph({ x: port, a: port }, ({ x, a }) => {
      const { values, indices } = cummax(x, axis);
      return {
        outputs: { s: cumsum(x, axis), p: cumprod(x, axis), r: recurrence(axis, a, x), values, indices },
      };
    });
    await holds(
      graph,
      [1, 2].map((seed) => testData(shape, "float32", [-1, 1], seed).data),
    );
  });
});
