// Reductions in both orders, around every border, over every set of axes.
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { allRecords, makeNode } from "../../../src/ops/define.ts";
import * as elementwise from "../../../src/ops/elementwise.ts";
import * as movement from "../../../src/ops/movement.ts";
import { arrayOf, type Data, roughData, testData } from "../../support/graphs.ts";
import { acceptedDTypes, type Computation, show } from "./case.ts";

/** Subsets of the axes of a rank. */
const axisSets = (rank: number) =>
  Array.from({ length: 2 ** rank }, (_, set) =>
    Array.from({ length: rank }, (_, axis) => axis).filter((axis) => set & (1 << axis)),
  );

/** Reductions: both orders around the borders of lanes, chunks and blocks; every set of axes; NaN, zeros of both signs, ties; empty. */
export function reduceCases(): Computation[] {
  const ties = [1, 3, -0, 0, 3, -Infinity, 3, 0, -0, Infinity, 2, Infinity, NaN, 5, NaN, 1];
  return allRecords().flatMap((record) => {
    if (record.kind !== "reduce") return [];
    const over = (axes: readonly number[]) => (x: Node) =>
      makeNode(
        record.name,
        [x],
        x.shape.filter((_, axis) => !axes.includes(axis)),
        { axes },
      );
    const cases: Computation[] = [];
    for (const [dtype] of acceptedDTypes(record, 1)) {
      const data = (shape: Shape, seed = 3): Data =>
        dtype === "float32" ? roughData(shape, seed) : testData(shape, dtype, [-(2 ** 31), 2 ** 31], seed);
      const add = (name: string, x: Data, axes: readonly number[]) =>
        cases.push({ name: `${record.name} of ${dtype} ${name}`, inputs: [x], build: over(axes) });
      for (const size of [1, 2, 8, 15, 16, 17, 31, 33, 255, 256, 257, 511, 513, 1023, 1024, 1025, 2047, 2049, 3100]) {
        add(`[2, ${size}] over the last`, data([2, size]), [1]);
        add(`[${size}, 3] over the first`, data([size, 3]), [0]);
      }
      for (const axes of axisSets(4)) add(`[3, 17, 2, 5] over [${axes}]`, data([3, 17, 2, 5]), axes);
      add("[40, 30, 9] over [0, 2]", data([40, 30, 9]), [0, 2]);
      add("[30, 5, 37] over [1, 2]", data([30, 5, 37]), [1, 2]);
      add("of a scalar", data([]), []);
      add("[0, 4] over the last", data([0, 4]), [1]);
      if (dtype === "float32") {
        const special = arrayOf("float32", ties);
        const parts = [ties, ties.slice(0, 12), [-0, 0], [0, -0], [-0, -0], [NaN], [3, NaN], [NaN, 3]];
        add("ties and NaN", { dtype, shape: [ties.length], data: special }, [0]);
        for (const part of parts) {
          const row = arrayOf("float32", part);
          add(`of [${part.map(show)}]`, { dtype, shape: [part.length], data: row }, [0]);
          const column = arrayOf(
            "float32",
            part.flatMap((x) => [x, 1]),
          );
          add(`of column [${part.map(show)}]`, { dtype, shape: [part.length, 2], data: column }, [0]);
        }
        add(
          "[20] of zeros and signs",
          {
            dtype,
            shape: [20],
            data: arrayOf(
              dtype,
              Array.from({ length: 20 }, (_, i) => (i % 3 ? -0 : 0)),
            ),
          },
          [0],
        );
      }
    }
    // Of nothing others than sums make no node.
    if (record.combine === "sum") {
      for (const axes of [[0], [1], [0, 1]]) {
        const x = { dtype: "float32" as const, shape: axes.includes(0) ? [0, 4] : [4, 0], data: new Float32Array(0) };
        cases.push({ name: `${record.name} of nothing over [${axes}]`, inputs: [x], build: over(axes) });
      }
    }
    cases.push({
      name: `${record.name} of an expression over views`,
      inputs: [roughData([6, 5]), roughData([5, 1])],
      build: (a, b) => {
        const x = elementwise.mul(movement.transpose(a), b);
        return makeNode(record.name, [x], [5], { axes: [1] });
      },
    });
    return cases;
  });
}
