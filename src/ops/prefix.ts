// Prefixes along an axis as ops with gradients: what cumulative.ts is made of.
import type { PrefixCombine } from "../../kernels/prefix.ts";
import type { Node } from "../graph/node.ts";
import { padAlong } from "./along.ts";
import { defineOp, floatOnly, makeNode, nextAxis, numeric, placing } from "./define.ts";
import { mul } from "./elementwise.ts";
import { flip, slice } from "./movement.ts";
import { alongAxis } from "./range.ts";
import type { RecordBase, Vjp } from "./record.ts";

function define(name: string, combine: PrefixCombine, dtype: RecordBase["dtype"], vjp: Vjp) {
  defineOp({
    name,
    kind: "special",
    of: "prefix",
    version: 1,
    batch: nextAxis,
    kernel: ({ attributes }) => ({ axis: attributes.axis as number, combine }),
    dtype,
    vjp,
  });
  return (axis: number, ...inputs: Node[]): Node => makeNode(name, inputs, inputs[0].shape, { axis });
}

/** Element i is x₀ + … + xᵢ along the axis. */
export const prefixSum = define("cumsum", "sum", numeric, ({ grad, attributes }) => [
  fromEnd(attributes.axis as number, (g) => prefixSum(attributes.axis as number, g), grad),
]);

/** Element i is x₀ · … · xᵢ along the axis. Its gradient divides by nothing, so zeros are as good as any. */
export const prefixProduct = define("cumprod", "prod", numeric, ({ inputs: [x], output, grad, attributes }) => {
  const axis = attributes.axis as number;
  const before = later(output, axis, 1);
  const arriving = fromEnd(axis, (a, g) => recurrence(axis, a, g), earlier(x, axis), grad);
  return [mul(before, arriving)];
});

/** s₀ = b₀, sᵢ = aᵢ·sᵢ₋₁ + bᵢ along the axis; the first a isn't read. Its gradient is such a recurrence from the other end. */
export const recurrence = define("recurrence", "linear", floatOnly, ({ inputs: [a], output, grad, attributes }) => {
  const axis = attributes.axis as number;
  const arriving = fromEnd(axis, (b, g) => recurrence(axis, b, g), earlier(a, axis), grad);
  return [mul(arriving, later(output, axis, 0)), arriving];
});

/** Where the largest of the elements so far is; NaN wins, ties to the lowest. */
export const prefixArgmax = define("cumargmax", "argmax", placing, "none");
/** Where the smallest of the elements so far is; NaN wins, ties to the lowest. */
export const prefixArgmin = define("cumargmin", "argmin", placing, "none");

/** What is computed along the axis from its end. */
function fromEnd(axis: number, compute: (...inputs: Node[]) => Node, ...inputs: Node[]): Node {
  return flip(compute(...inputs.map((each) => flip(each, axis))), axis);
}

/** Element i is x's i − 1, the first `value`. */
export function later(x: Node, axis: number, value: number): Node {
  if (x.shape[axis] === 0) return x;
  return padAlong(slice(x, alongAxis(axis, [0, -1])), axis, [1, 0], value);
}

/** The product of the points before each along an axis, and of those behind it: [before, behind]. */
export function productsAround(x: Node, axis: number): [before: Node, behind: Node] {
  const before = (each: Node) => later(prefixProduct(axis, each), axis, 1);
  return [before(x), fromEnd(axis, before, x)];
}

/** Element i is x's i + 1, the last 0. */
function earlier(x: Node, axis: number): Node {
  if (x.shape[axis] === 0) return x;
  return padAlong(slice(x, alongAxis(axis, [1, Infinity])), axis, [0, 1]);
}
