// Derivatives of functions of tensors beside their gradients: products with the Jacobian from either side, products with the Hessian, and both as
// whole tensors. What they give are tensors of the graph: they differentiate, compile and batch like any other.
import { batched } from "../autograd/batch.ts";
import { pullback, pushforward } from "../autograd/grad.ts";
import {
  callable,
  checkArguments,
  count,
  type Kind,
  oneOf,
  options as optionsOf,
  signature,
} from "../core/arguments.ts";
import { GradError, refuse } from "../core/errors.ts";
import { sameShape, sizeOf, typeText } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { tensor as tensorKind, tensors } from "../tensor/arguments.ts";
import { ops } from "../tensor/families/basic.ts";
import { Tensor } from "../tensor/tensor.ts";
import { gradients, ownArguments, resultsOf, type ScalarFunction, type TensorFor } from "./gradients.ts";

/** What a function of tensors may give: a tensor, or a list of them. */
export type TensorResult = Tensor | readonly Tensor[];

const nodesOf = (list: readonly Tensor[]) => list.map(({ node }) => node);

/** Nodes as a result of the form of another: one tensor, or a list. */
export function inFormOf<R extends TensorResult>(form: R, nodes: readonly Node[]): R {
  const list = nodes.map((node) => new Tensor(node));
  return (form instanceof Tensor ? list[0] : list) as R;
}

function checkDirections(where: string, what: string, given: readonly Tensor[], of: readonly Tensor[]): void {
  const shown = (list: readonly Tensor[]) => list.map(typeText).join(", ");
  const fits = ({ dtype, shape }: Tensor, i: number) => dtype === of[i].dtype && sameShape(shape, of[i].shape);
  if (given.length === of.length && given.every(fits)) return;
  throw new GradError({ where, problem: `${what} don't fit`, got: shown(given), expected: shown(of) });
}

/** What a function gives of arguments of its own. Of variables the nodes are the versions that it reads, whatever is assigned later. */
function applied<A extends readonly Tensor[], R>(where: string, f: (...args: A) => R, args: A) {
  const inputs = ownArguments(where, args);
  const nodes = nodesOf(inputs);
  const value = f(...(inputs as unknown as A));
  return { inputs, nodes, value, outputs: resultsOf(where, value) };
}

const vjpCall = signature("vjp", { f: callable, "...primals": tensorKind });
const [jvpCall, hvpCall] = ["jvp", "hvp"].map((name) =>
  signature(name, { f: callable, primals: tensors, tangents: tensors }, `both are lists: ${name}(f, [x], [v])`),
);

/**
 * A function's value with its pullback, as JAX's and torch.func's vjp: vjp(f, ...primals) → { value, vjp }, and vjp(cotangent) is a list of cotangentᵀ · J, one for
 * each primal and of its shape. `f` gives a float32 tensor, or a list of them, and the cotangent is like it. Throws GradError.
 */
export function vjp<A extends readonly Tensor[], R extends TensorResult>(
  f: (...args: A) => R,
  ...primals: A
): { value: R; vjp: (cotangent: R) => TensorFor<A> } {
  checkArguments(vjpCall, arguments);
  const { nodes, value, outputs } = applied("vjp", f, primals);
  return {
    value,
    vjp: (cotangent) => {
      const seeds = resultsOf("vjp", cotangent, "a cotangent like the function's value");
      checkDirections("vjp", "cotangents", seeds, outputs);
      const seeded = outputs.map(({ node }, i) => ({ output: node, seed: seeds[i].node }));
      return pullback(seeded, nodes).map((node) => new Tensor(node)) as TensorFor<A>;
    },
  };
}

/**
 * A function's value and its derivative in a direction, as JAX's and torch.func's jvp: jvp(f, primals, tangents) → { value, tangent }, tangent = J · tangents, like
 * the value. A tangent is of its primal's shape. The backward pass is linear in what it is seeded with, so it is differentiated by that; nothing of it has to be
 * computed beside what the derivative needs: time and memory are those of a forward rule for each op. Throws GradError.
 */
export function jvp<A extends readonly Tensor[], R extends TensorResult>(
  f: (...args: A) => R,
  primals: A,
  tangents: readonly Tensor[],
): { value: R; tangent: R } {
  checkArguments(jvpCall, arguments);
  checkDirections("jvp", "tangents", tangents, primals);
  const { nodes, value, outputs } = applied("jvp", f, primals);
  return { value, tangent: inFormOf(value, pushforward(nodesOf(outputs), nodes, nodesOf(tangents))) };
}

/** The product of a scalar function's Hessian with a vector: hvp(f, primals, tangents) → { value, hvp }, a tensor for each primal. Two backward passes, and no Hessian in memory. Throws GradError. */
export function hvp<A extends readonly Tensor[]>(
  f: ScalarFunction<A>,
  primals: A,
  tangents: readonly Tensor[],
): { value: Tensor; hvp: TensorFor<A> } {
  checkArguments(hvpCall, arguments);
  checkDirections("hvp", "tangents", tangents, primals);
  const { inputs, nodes, value } = applied("hvp", f, primals);
  const first = gradients(value, inputs);
  const seeded = first.map(({ node }, i) => ({ output: node, seed: tangents[i].node }));
  return { value, hvp: pullback(seeded, nodes).map((node) => new Tensor(node)) as TensorFor<A> };
}

/** Which argument, and which way. */
export interface JacobianOptions {
  /** The argument to differentiate by, from 0; 0 unless given. */
  readonly argument?: number;
  /** `forward`: a jvp for each element of the argument; `reverse`: a vjp for each element of the result. The one that is fewer unless given. */
  readonly mode?: "forward" | "reverse";
}

const wanted = optionsOf<JacobianOptions>({ "argument?": count, "mode?": oneOf(["forward", "reverse"]) });
const byCall = (where: string) => `it gives a function of the same arguments: ${where}(f)(x)`;
const calledWith = (where: string) => {
  const explain: Kind["explain"] = (at, value) =>
    value instanceof Tensor || Array.isArray(value) ? byCall(where) : wanted.explain?.(at, value);
  return signature(where, { f: callable, "options?": { ...wanted, explain } }, byCall(where));
};
const jacobianCall = calledWith("jacobian");
const hessianCall = calledWith("hessian");

/**
 * The Jacobian of a function by one of its arguments, as a function of the same arguments: f: → [...out], argument: [...in], jacobian(f): → [...out, ...in]. All its
 * rows (or columns) at once, as a batch: memory is that of so many backward (or forward) passes. Throws GradError.
 */
export function jacobian<A extends readonly Tensor[]>(
  f: (...args: A) => Tensor,
  options: JacobianOptions = {},
): (...args: A) => Tensor {
  checkArguments(jacobianCall, arguments);
  const { argument = 0, mode } = options;
  return (...args) => derivative("jacobian", f, args, argument, mode);
}

/** The Hessian of a scalar function by one of its arguments, as a function of the same arguments: argument: [...in], hessian(f): → [...in, ...in]. It is the Jacobian of the gradient. Throws GradError. */
export function hessian<A extends readonly Tensor[]>(
  f: ScalarFunction<A>,
  options: JacobianOptions = {},
): (...args: A) => Tensor {
  checkArguments(hessianCall, arguments);
  const { argument = 0, mode } = options;
  const gradient = (...args: A) => {
    const { inputs, value } = applied("hessian", f, args);
    return gradients(value, [inputs[argument]])[0];
  };
  return (...args) => derivative("hessian", gradient, args, argument, mode);
}

function derivative<A extends readonly Tensor[]>(
  where: string,
  f: (...args: A) => Tensor,
  args: A,
  argument: number,
  mode: JacobianOptions["mode"],
): Tensor {
  if (argument >= args.length) refuse(GradError, where, "there is no such argument", argument, `below ${args.length}`);
  const { nodes, value, outputs } = applied(where, f, args);
  if (!(value instanceof Tensor))
    throw new GradError({ where, problem: "the function gives several tensors", expected: "one tensor" });
  const [output, x] = [outputs[0], nodes[argument]];
  const [to, from] = [sizeOf(output.shape), sizeOf(x.shape)];
  const forward = mode ? mode === "forward" : from < to;
  const basis = (count: number, shape: readonly number[]) => ops.reshape(ops.eye(count), [count, ...shape]).node;
  const rows = forward
    ? batched(from, [basis(from, x.shape)], ([tangent]) => pushforward([output.node], [x], [tangent]))
    : batched(to, [basis(to, output.shape)], ([seed]) => pullback([{ output: output.node, seed }], [x]));
  const matrix = forward ? ops.transpose(ops.reshape(new Tensor(rows[0]), [from, to])) : new Tensor(rows[0]);
  return ops.reshape(matrix, [...output.shape, ...x.shape]);
}
