// Kernels that take a whole line at a time: prefixes and sorting along every axis, around the borders of vectors and runs, with ties and NaN; and what
// is made of them.
import type { DType } from "../../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { logicalNot } from "../../../src/ops/compare.ts";
import * as cumulative from "../../../src/ops/cumulative.ts";
import * as elementwise from "../../../src/ops/elementwise.ts";
import * as movement from "../../../src/ops/movement.ts";
import { roundTo } from "../../../src/ops/precision.ts";
import { recurrence } from "../../../src/ops/prefix.ts";
import * as product from "../../../src/ops/product.ts";
import * as reduce from "../../../src/ops/reduce.ts";
import * as sorting from "../../../src/ops/sort.ts";
import * as vectorNorm from "../../../src/ops/vector-norm.ts";
import { arrayOf, type Data, roughData, testData } from "../../support/graphs.ts";
import { type Computation, floats } from "./case.ts";

/** Few different values, so that lines hold most of them more than once. */
function ties(shape: Shape, dtype: DType): Data {
  const values = dtype === "float32" ? [0, -0, 2, NaN, -3, Infinity, 2, 1e-42, -Infinity, -0] : [0, 5, -1, 5, -7, 0];
  return {
    dtype,
    shape,
    data: arrayOf(
      dtype,
      Array.from({ length: sizeOf(shape) }, (_, i) => values[(i * 7919) % values.length]),
    ),
  };
}

const integers = (shape: Shape): Data => testData(shape, "int32", [-(2 ** 31), 2 ** 31], 7);

const shapes: readonly (readonly [Shape, number])[] = [
  [[1], 0],
  [[17], 0],
  [[3, 9], -1],
  [[3, 1025], 1],
  [[1030, 5], 0],
  [[9, 70], 0],
  [[2, 8, 3, 5], 1],
  [[2, 3, 1, 4], 2],
  [[6, 0], 0],
  [[0, 6], 0],
];

/** Of one operand, along an axis. */
const along: Readonly<Record<string, (x: Node, axis: number) => Node>> = {
  cumsum: cumulative.cumsum,
  cumprod: cumulative.cumprod,
  "cummax's values": (x, axis) => cumulative.cummax(x, axis).values,
  "cummax's indices": (x, axis) => cumulative.cummax(x, axis).indices,
  "cummin's indices": (x, axis) => cumulative.cummin(x, axis).indices,
  argsort: (x, axis) => sorting.argsort(x, axis),
  "argsort descending": (x, axis) => sorting.argsort(x, { axis, descending: true }),
};

export function lineCases(): Computation[] {
  const cases: Computation[] = [];
  for (const [name, build] of Object.entries(along)) {
    for (const [shape, axis] of shapes)
      for (const [what, x] of Object.entries({
        float32: roughData(shape),
        ties: ties(shape, "float32"),
        int32: integers(shape),
      }))
        cases.push({ name: `${name} of ${what} [${shape}] along ${axis}`, inputs: [x], build: (a) => build(a, axis) });
    cases.push(
      {
        name: `${name} of a transposed and flipped view`,
        inputs: [ties([5, 24], "float32")],
        build: (a) => build(movement.flip(movement.transpose(a), [0, 1]), 0),
      },
      { name: `${name} of int32 ties`, inputs: [ties([4, 40], "int32")], build: (a) => build(a, 1) },
      {
        name: `${name} of numbers kept in 16 bits`,
        inputs: [floats([12, 20]), floats([12, 20], 2)],
        build: (a, b) => {
          const x = elementwise.mul(a, b);
          return elementwise.add(build(roundTo(x, "bfloat16"), 0), build(roundTo(x, "float16"), 1));
        },
      },
    );
  }
  for (const [shape, axis] of shapes)
    cases.push({
      name: `recurrence [${shape}] along ${axis}`,
      inputs: [floats(shape, 3), roughData(shape, 4)],
      build: (a, b) => recurrence(axis < 0 ? axis + shape.length : axis, a, b),
    });
  const x = floats([5, 23], 5);
  const composites: Readonly<Record<string, (x: Node) => Node>> = {
    logCumSumExp: (a) => cumulative.logCumSumExp(a, 0),
    logSumExp: (a) => reduce.logSumExp(a, { axis: 1, keepDims: true }),
    sort: (a) => sorting.sort(a),
    topK: (a) => sorting.topK(a, 4).values,
    "topK of the smallest": (a) => sorting.topK(a, 2, { axis: 0, largest: false }).indices,
    median: (a) => sorting.median(a, { axis: 0, keepDims: true }),
    quantile: (a) => sorting.quantile(a, [0, 0.3, 1], 1),
    "quantile midpoint": (a) => sorting.quantile(a, 0.3, { axis: 1, interpolation: "midpoint" }),
    "quantile nearest": (a) => sorting.quantile(a, [0.2, 0.9], { axis: 0, interpolation: "nearest" }),
    std: (a) => reduce.std(a, { axis: 0, correction: 1 }),
    "norm 2": (a) => vectorNorm.norm(a, { axis: 1 }),
    "norm 1": (a) => vectorNorm.norm(a, { axis: 0, p: 1 }),
    "norm ∞": (a) => vectorNorm.norm(a, { p: Infinity }),
    any: (a) => reduce.any(a, 0),
    all: (a) => logicalNot(reduce.all(a, 1)),
    prod: (a) => product.prod(a, 0),
    searchSorted: (a) => sorting.searchSorted(sorting.sort(a, 1), elementwise.mul(a, 1.5)),
    "searchSorted from the right": (a) =>
      sorting.searchSorted(movement.slice(sorting.sort(a, 1), [0]), a, { right: true }),
  };
  for (const [name, build] of Object.entries(composites)) {
    cases.push({ name, inputs: [x], build });
    cases.push({ name: `${name} of rough numbers`, inputs: [ties([6, 30], "float32")], build });
  }
  return cases;
}
