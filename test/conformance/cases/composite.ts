// Where several kinds meet in one kernel or stand beside each other.
import { gradients } from "../../../src/autograd/grad.ts";
import type { Node } from "../../../src/graph/node.ts";
import * as compare from "../../../src/ops/compare.ts";
import * as composite from "../../../src/ops/composite.ts";
import * as conv from "../../../src/ops/conv.ts";
import * as elementwise from "../../../src/ops/elementwise.ts";
import * as movement from "../../../src/ops/movement.ts";
import * as padding from "../../../src/ops/pad.ts";
import * as pool from "../../../src/ops/pool.ts";
import * as reduce from "../../../src/ops/reduce.ts";
import { roughData, testData } from "../../support/graphs.ts";
import { type Computation, floats } from "./case.ts";

/** Few different values, so that windows of them hold most of these more than once. */
function ties(count: number): Float32Array {
  const values = [0, -0, 0, 1, 2, -Infinity, 1, 0, -3, 2, 0, Number.NaN];
  return Float32Array.from({ length: count }, (_, i) => values[((i * 7919) % 104729) % values.length]);
}

/** Where several kinds meet in one kernel or stand beside each other. */
export function compositeCases(): Computation[] {
  const x = floats([6, 10], 4);
  return [
    { name: "softmax", inputs: [x], build: (a) => composite.softmax(a) },
    { name: "softmax over the first axis", inputs: [x], build: (a) => composite.softmax(a, 0) },
    { name: "logSoftmax", inputs: [x], build: (a) => composite.logSoftmax(a) },
    { name: "variance", inputs: [x], build: (a) => reduce.variance(a, { axis: 0 }) },
    ...[{}, { padding: 1 }, { stride: 2, padding: 2 }, { stride: 3 }].map((options) => ({
      name: `conv2d ${JSON.stringify(options)}`,
      inputs: [floats([2, 3, 7, 8], 9), floats([5, 3, 3, 3], 10), floats([5], 11)],
      build: (a: Node, w: Node, b: Node) => conv.conv2d(a, w, b, options),
    })),
    ...[{}, { stride: 1 }, { stride: 2, padding: 1 }].map((options) => ({
      name: `maxPool2d ${JSON.stringify(options)}`,
      inputs: [roughData([2, 3, 7, 9], 12)],
      build: (a: Node) => pool.maxPool2d(a, 3, options),
    })),
    {
      name: "gradients through conv2d and maxPool2d",
      inputs: [floats([2, 2, 7, 8], 13), floats([3, 2, 3, 3], 14), floats([3], 15)],
      build: (a, w, b) => {
        const pooled = pool.maxPool2d(conv.conv2d(a, w, b, { stride: 2, padding: 1 }), 2, { stride: 1 });
        const found = gradients(reduce.sum(elementwise.mul(pooled, pooled)), [a, w, b]);
        return movement.concat(found.map((x) => movement.reshape(x, [-1])));
      },
    },
    ...[{}, { stride: 1, padding: 1 }, { stride: 2 }].map((options) => ({
      name: `gradient of maxPool2d ${JSON.stringify(options)} at ties and NaN`,
      inputs: [{ dtype: "float32" as const, shape: [2, 2, 6, 7], data: ties(168) }, floats([2, 2, 6, 7], 19)],
      build: (a: Node, weights: Node) => {
        const pooled = pool.maxPool2d(a, 3, options);
        const [rows, columns] = pooled.shape.slice(2);
        const product = elementwise.mul(pooled, movement.slice(weights, [null, null, [0, rows], [0, columns]]));
        return gradients(reduce.sum(product), [a])[0];
      },
    })),
    {
      name: "a comparison cast and summed",
      inputs: [x, x],
      build: (a, b) => reduce.sum(compare.less(a, movement.flip(b, 1)), { axis: 1 }),
    },
    {
      name: "a long chain of additions of many inputs",
      inputs: Array.from({ length: 12 }, (_, i) => roughData([5], i + 1)),
      build: (...parts) => parts.reduce((sum, part) => elementwise.add(sum, part)),
    },
    {
      name: "an expression stretched",
      inputs: [floats([4, 1]), floats([1, 6])],
      build: (a, b) => elementwise.add(elementwise.exp(a), elementwise.tanh(b)),
    },
    {
      name: "an expression padded, then summed",
      inputs: [floats([3, 4])],
      build: (a) =>
        reduce.sum(
          padding.pad(
            elementwise.exp(a),
            [
              [1, 1],
              [0, 2],
            ],
            3,
          ),
          { axis: 0 },
        ),
    },
    {
      name: "floats through int32 and back: no −0 comes out",
      inputs: [testData([40], "float32", [-1.5, 1.5])],
      build: (a) => elementwise.cast(elementwise.cast(a, "int32"), "float32"),
    },
    {
      name: "int32 zeros with a sign that isn't there",
      inputs: [testData([40], "int32", [-2, 2])],
      build: (a) =>
        elementwise.div(1, elementwise.cast(elementwise.mul(elementwise.neg(elementwise.abs(a)), -3), "float32")),
    },
    {
      name: "one kernel's source, over a whole buffer",
      inputs: [floats([7])],
      build: (a) => elementwise.mul(elementwise.neg(a), 3),
    },
    {
      name: "the same source, over the first row of a larger one",
      inputs: [floats([3, 7])],
      build: (a) => elementwise.mul(elementwise.neg(movement.slice(a, [0])), 3),
    },
    {
      name: "one tensor through two views",
      inputs: [floats([4, 4])],
      build: (a) => elementwise.sub(a, movement.transpose(a)),
    },
    {
      name: "bool logic on comparisons",
      inputs: [x, floats([10])],
      build: (a, b) => compare.logicalOr(compare.logicalNot(compare.less(a, b)), compare.equal(a, a)),
    },
  ];
}
