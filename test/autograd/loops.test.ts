// Gradients of loops are those of their positions, one after another: with draws, which move on from position to position, and in one another.
import { expect, test } from "vitest";
import type { Node } from "../../src/graph/node.ts";
import { withTrace } from "../../src/graph/scope.ts";
import { sum } from "../../src/ops/reduce.ts";
import { scanNodes } from "../../src/ops/scan.ts";
import { functions as f } from "../support/functions.ts";
import { testData, traceGraph } from "../support/graphs.ts";
import { checkDerivatives } from "../support/relations.ts";

/** Positions that scale by a draw and by x, from y on. */
const drawing = (x: Node, y: Node, length: number) =>
  scanNodes(
    ({ carry: [c] }) => ({ carry: [f.sin(f.add(f.mul(c, f.normal([3])), x))], slices: [f.mul(c, f.normal([3]))] }),
    [y],
    [],
    length,
  );

test.each([1, 2, 3])("of one that draws, in another, %i positions long", (length) => {
  const [x, y, z] = [1, 2, 3].map((seed) => testData([3], "float32", [-2, 2], seed));
  const graph = traceGraph({ x, y, z }, (inputs) => {
    const { carry, slices } = scanNodes(
      ({ carry: [c] }) => {
        const inner = drawing(inputs.x, c, length);
        return { carry: inner.carry, slices: [sum(f.mul(inner.slices[0], inputs.z))] };
      },
      [inputs.y],
      [],
      3,
    );
    return { outputs: { carry: carry[0], sums: slices[0] } };
  });
  const inputs = [x, y, z].map(({ data }) => data);
  expect(withTrace(() => checkDerivatives({ graph, inputs })).result).toBe("checked");
});
