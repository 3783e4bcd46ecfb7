// Gradients against central differences, both read in float64 from the same records: what any op's gradient is checked with.
import { expect } from "vitest";
import { gradients, pullback, pushforward } from "../../src/autograd/grad.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import { withTrace } from "../../src/graph/scope.ts";
import { constant, input } from "../../src/ops/creation.ts";
import * as ops from "../../src/ops/elementwise.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { evaluateFloat64, evaluatorOf } from "./float64.ts";
import { arrayOf, testWords } from "./graphs.ts";

/** Points of a range, no two of them nearer than the differences reach. */
function spread(count: number, [low, high]: readonly [number, number], seed: number): Float64Array {
  const next = testWords(seed);
  const order = Array.from({ length: count }, (_, i) => ({ i, key: next() })).sort((a, b) => a.key - b.key);
  return Float64Array.from(order, ({ i }) => low + ((i + 0.2 + (0.6 * next()) / 2 ** 32) / count) * (high - low));
}

export interface GradientOptions {
  /** Of the inputs' elements; [−2, 2] unless given. */
  readonly ranges?: readonly (readonly [number, number])[];
  /** 1e-5 unless given. */
  readonly tolerance?: number;
  /** Whether second gradients are checked; they are unless it is false. */
  readonly second?: boolean;
}

/** Checks that the derivative along tangents and the gradients are one linear map, read from either side: u · (J v) = (uᵀ J) · v, to the last bits of a float64. */
function checkForward(
  output: Node,
  inputs: readonly Node[],
  bound: ReadonlyMap<Node, ArrayLike<number>>,
  direction: (shape: Shape, seed: number) => Node,
): void {
  if (output.dtype !== "float32") return;
  const seed = direction(output.shape, 31);
  const tangents = inputs.map(({ shape }, i) => direction(shape, 32 + i));
  const backward = pullback([{ output, seed }], inputs);
  const [tangent] = pushforward([output], inputs, tangents);
  const values = evaluateFloat64([seed, tangent, ...backward, ...tangents], bound);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const left = dot(values[0], values[1]);
  const right = inputs.reduce((sum, _, i) => sum + dot(values[2 + i], values[2 + inputs.length + i]), 0);
  expect(Math.abs(left - right) / Math.max(1, Math.abs(right)), "jvp beside vjp").toBeLessThan(1e-9);
}

/** Checks the gradients of a weighted sum of `build`'s result, with `second` those of a weighted sum of them, and derivatives along tangents. */
export function checkGradients(
  shapes: readonly Shape[],
  build: (...inputs: Node[]) => Node,
  options: GradientOptions = {},
): void {
  const { ranges = [], tolerance = 1e-5, second = true } = options;
  withTrace(() => {
    const inputs = shapes.map((shape) => input(shape, "float32"));
    const data = shapes.map((shape, i) => spread(sizeOf(shape), ranges[i] ?? [-2, 2], i + 1));
    const direction = (shape: Shape, seed: number) =>
      constant(arrayOf("float32", [...spread(sizeOf(shape), [-1, 1], seed)]), shape, "float32");
    const weighted = (x: Node, seed: number) => {
      const product = ops.mul(x, direction(x.shape, seed));
      return product.shape.length ? reduce.sum(product) : product;
    };
    const built = build(...inputs);
    if (second) checkForward(built, inputs, new Map(inputs.map((node, i) => [node, data[i]])), direction);
    const output = weighted(built, 11);
    const first = gradients(output, inputs);
    const compare = (scalar: Node, grads: readonly Node[], what: string) => {
      const values = evaluatorOf(grads, inputs)(data);
      const evaluate = evaluatorOf([scalar], inputs);
      const at = (moved: number, element: number, by: number) => {
        const there = data[moved].slice();
        there[element] += by;
        return evaluate(data.map((own, i) => (i === moved ? there : own)))[0][0];
      };
      inputs.forEach((node, i) => {
        expect(grads[i].shape).toEqual(node.shape);
        for (let element = 0; element < sizeOf(node.shape); element++) {
          // Five points: the error is of the fourth order in the step.
          const difference = (by: number) => (at(i, element, by) - at(i, element, -by)) / (2 * by);
          const step = 0.01;
          const expected = (4 * difference(step / 2) - difference(step)) / 3;
          const off = Math.abs(values[i][element] - expected) / Math.max(1, Math.abs(expected));
          if (!(off <= tolerance))
            expect.fail(`${what} of input ${i}, element ${element}: ${values[i][element]}, by differences ${expected}`);
        }
      });
    };
    compare(output, first, "gradient");
    if (!second) return;
    const total = first.map((grad, i) => weighted(grad, 20 + i)).reduce((a, b) => ops.add(a, b));
    compare(total, gradients(total, inputs), "second gradient");
  });
}
