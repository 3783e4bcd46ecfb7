// Reads and additions by indices that are data, with repeats and through views.
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { broadcastTo, makeNode } from "../../../src/ops/define.ts";
import * as elementwise from "../../../src/ops/elementwise.ts";
import * as extremes from "../../../src/ops/extremes.ts";
import * as indexed from "../../../src/ops/gather.ts";
import { bincount, histogram } from "../../../src/ops/histogram.ts";
import * as movement from "../../../src/ops/movement.ts";
import { arrayOf, type Data, roughData, testData } from "../../support/graphs.ts";
import { type Computation, dtypes, floats } from "./case.ts";

export function indexedCases(): Computation[] {
  const cases: Computation[] = [];
  const indices = (shape: Shape, below: number): Data => testData(shape, "int32", [0, below - 1e-6], 9);
  for (const dtype of dtypes) {
    cases.push({
      name: `gather of ${dtype} along the last axis`,
      inputs: [testData([4, 7], dtype, [0, 99]), indices([4, 12], 7)],
      build: (x, i) => indexed.gather(x, i, 1),
    });
  }
  for (const [shape, index, axis] of [
    [[7, 3], [11, 3], 0],
    [[2, 5, 3], [2, 9, 3], 1],
    [[6], [40], 0],
    [[2, 3, 4], [2, 3, 1], -1],
    [[4, 2], [0, 2], 0],
    [[1, 1], [5, 1], 0],
  ] as [Shape, Shape, number][]) {
    const at = axis < 0 ? axis + shape.length : axis;
    cases.push({
      name: `gather [${shape}] by [${index}] along ${axis}`,
      inputs: [floats(shape), indices(index, shape[at])],
      build: (x, i) => indexed.gather(x, i, axis),
    });
    cases.push({
      name: `scatter of [${index}] into [${shape}] along ${axis}, with repeats`,
      inputs: [roughData(shape), indices(index, shape[at]), roughData(index, 2)],
      build: (x, i, updates) => indexed.scatter(x, i, updates, axis),
    });
    for (const extreme of [extremes.scatterMax, extremes.scatterMin])
      cases.push({
        name: `${extreme === extremes.scatterMax ? "scatterMax" : "scatterMin"} of [${index}] into [${shape}] along ${axis}, with repeats`,
        inputs: [roughData(shape), indices(index, shape[at]), roughData(index, 2)],
        build: (x, i, updates) => extreme(x, i, updates, axis),
      });
    cases.push({
      name: `scatterLast of [${index}] into [${shape}] along ${axis}`,
      inputs: [indices(index, shape[at]), testData(index, "int32", [1, 99])],
      build: (i, updates) => makeNode("scatterLast", [i, updates], shape, { axis: at }),
    });
    cases.push({
      name: `scatterAdd of [${index}] into [${shape}] along ${axis}, with repeats`,
      inputs: [indices(index, shape[at]), roughData(index)],
      build: (i, x) => indexed.scatterAdd(i, x, axis, shape[at]),
    });
  }
  cases.push(
    {
      name: "scatterAdd of many into one",
      inputs: [testData([600, 2], "int32", [0, 0.5]), roughData([600, 2])],
      build: (i, x) => indexed.scatterAdd(i, x, 0, 2),
    },
    {
      name: "scatter of many into one, and of a number",
      inputs: [testData([4, 2], "bool"), testData([600, 2], "int32", [0, 3.99]), testData([600, 2], "bool", [0, 1], 2)],
      build: (x, i, updates) => indexed.scatter(indexed.scatter(x, i, updates, 0), movement.slice(i, [[0, 2]]), 1, 0),
    },
    {
      name: "scatter through views",
      inputs: [testData([5, 4], "int32"), indices([4, 3], 5), testData([4, 3], "int32", [-9, 9], 3)],
      build: (x, i, updates) =>
        indexed.scatter(movement.flip(x, 0), movement.transpose(i), movement.transpose(updates), 0),
    },
    {
      name: "scatterAdd of int32, which wraps",
      inputs: [indices([300], 7), testData([300], "int32", [-(2 ** 31), 2 ** 31])],
      build: (i, x) => indexed.scatterAdd(i, x, 0, 7),
    },
    {
      name: "bincount",
      inputs: [indices([3, 50], 5)],
      build: (x) => bincount(x, 9),
    },
    {
      name: "bincount of weights",
      inputs: [indices([3, 50], 5), roughData([3, 50])],
      build: (x, weights) => bincount(x, 5, weights),
    },
    ...[{}, { bins: 7, range: [-2, 3] }, { range: [1, 1] }, { bins: [-1, 0.25, 3] }].flatMap((options) =>
      (["counts", "edges"] as const).map((part) => ({
        name: `histogram's ${part} ${JSON.stringify(options)}`,
        inputs: [floats([9, 40])],
        build: (x: Node) => histogram(x, options)[part],
      })),
    ),
    {
      name: "take rows",
      inputs: [floats([9, 4]), indices([3, 5], 9)],
      build: (table, i) => indexed.take(table, i),
    },
    {
      name: "take of numbers",
      inputs: [floats([9]), indices([3, 5], 9)],
      build: (table, i) => indexed.take(table, i),
    },
    {
      name: "gather through views",
      inputs: [floats([5, 4]), indices([6, 4], 5)],
      build: (x, i) => indexed.gather(movement.flip(x, 1), movement.slice(i, [[5, -Infinity, -2]]), 0),
    },
    {
      name: "gather of an expression by an expression",
      inputs: [floats([5, 4]), indices([3, 4], 4)],
      build: (x, i) => indexed.gather(elementwise.mul(x, 2), elementwise.add(i, 1), 0),
    },
    {
      name: "scatterAdd of a row to one place, by an index that stays along it",
      inputs: [indices([1], 4), roughData([9])],
      build: (i, x) => indexed.scatterAdd(broadcastTo(i, [9]), x, 0, 4),
    },
    {
      name: "scatterAdd of rows to a place each, by indices that stay along them",
      inputs: [indices([3, 1], 5), roughData([3, 8])],
      build: (i, x) => indexed.scatterAdd(broadcastTo(i, [3, 8]), x, 1, 5),
    },
    {
      name: "gather of one place again and again, by an index that stays",
      inputs: [floats([3, 5]), indices([3, 1], 5)],
      build: (x, i) => indexed.gather(x, broadcastTo(i, [3, 8]), 1),
    },
    {
      name: "scatterAdd through views",
      inputs: [indices([4, 3], 5), roughData([4, 3])],
      build: (i, x) => indexed.scatterAdd(movement.transpose(i), movement.transpose(x), 1, 5),
    },
    {
      name: "scatterMax of int32 through views",
      inputs: [testData([5, 4], "int32", [-3, 3]), indices([4, 3], 5), testData([4, 3], "int32", [-9, 9], 3)],
      build: (x, i, updates) =>
        extremes.scatterMax(movement.flip(x, 0), movement.transpose(i), movement.transpose(updates), 0),
    },
    {
      name: "scatterAdd of zeros of both signs",
      inputs: [
        testData([3], "int32", [0, 1.99]),
        { dtype: "float32", shape: [3], data: arrayOf("float32", [-0, -0, -0]) },
      ],
      build: (i, x) => indexed.scatterAdd(i, x, 0, 4),
    },
  );
  return cases;
}
