// Composites of elementwise ops: activations, remainders and bounds, values and gradients, at every edge.
import { gradients } from "../../../src/autograd/grad.ts";
import type { Node } from "../../../src/graph/node.ts";
import * as activations from "../../../src/ops/activations.ts";
import * as arithmetic from "../../../src/ops/arithmetic.ts";
import { transpose } from "../../../src/ops/movement.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { arrayOf, type Data, testData } from "../../support/graphs.ts";
import { type Computation, floats } from "./case.ts";

const { celu, elu, hardSigmoid, hardSwish, hardtanh, leakyRelu, logSigmoid, mish, relu6, selu } = activations;
const edges = [
  0,
  -0,
  1e-40,
  -1e-40,
  1,
  -1,
  3,
  -3,
  6,
  20,
  -20,
  88,
  -88,
  104,
  -104,
  3e38,
  -3e38,
  Infinity,
  -Infinity,
  NaN,
];
const x: Data = { dtype: "float32", shape: [edges.length], data: arrayOf("float32", edges) };
const integers: Data = {
  dtype: "int32",
  shape: [7],
  data: arrayOf("int32", [0, 1, -1, 7, -7, 2 ** 31 - 1, -(2 ** 31)]),
};

const unary: Record<string, (a: Node) => Node> = {
  celu: (a) => celu(a, 1.5),
  elu: (a) => elu(a, 0.7),
  hardSigmoid,
  hardSwish,
  hardtanh: (a) => hardtanh(a, -0.5, 2),
  leakyRelu: (a) => leakyRelu(a, 0.2),
  logSigmoid,
  mish,
  relu6,
  selu,
  clamp: (a) => arithmetic.clamp(a, -1, 2.5),
  nanToNum: (a) => arithmetic.nanToNum(a, { nan: 7 }),
};

/** Each composite over the edges, its gradient, and over shapes that are no vector. */
export function activationCases(): Computation[] {
  return [
    ...Object.entries(unary).flatMap(([name, build]): Computation[] => [
      { name: `${name} at its edges`, inputs: [x], build },
      { name: `gradient of ${name} at its edges`, inputs: [x], build: (a) => gradients(sum(build(a)), [a])[0] },
      ...[[], [0], [1], [3, 17], [1025]].map((shape) => ({
        name: `${name} of [${shape}]`,
        inputs: [testData(shape, "float32", [-4, 8], 3)],
        build,
      })),
      { name: `${name} of a view`, inputs: [floats([3, 17], 8)], build: (a: Node) => build(transpose(a)) },
    ]),
    { name: "remainder of floats", inputs: [x, testData([20, 1], "float32", [-3, 3], 5)], build: arithmetic.remainder },
    { name: "remainder of integers", inputs: [integers, { ...integers, shape: [7, 1] }], build: arithmetic.remainder },
    { name: "clamp of integers", inputs: [integers], build: (a) => arithmetic.clamp(a, -1, 5) },
    { name: "lerp", inputs: [floats([3, 17], 1), floats([17], 2), floats([3, 1], 3)], build: arithmetic.lerp },
  ];
}
