// Differentiation of functions of tensors. The gradients are tensors like any other, so they differentiate again.
import { gradients as nodeGradients } from "../autograd/grad.ts";
import { callable, checkArguments, kind, signature } from "../core/arguments.ts";
import { GradError, refuse, type ShapeError, showValue } from "../core/errors.ts";
import { settled } from "../core/promise.ts";
import { typeText } from "../core/shape.ts";
import { type Node, reachable } from "../graph/node.ts";
import { currentTrace } from "../graph/scope.ts";
import { recordOf } from "../ops/define.ts";
import { tensor as tensorKind, tensors } from "../tensor/arguments.ts";
import { ops } from "../tensor/families/basic.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Variable } from "./variable.ts";

const call = signature(
  "gradients",
  {
    output: tensorKind,
    wanted: kind("a list of tensors", tensors.accepts, (_, value) =>
      value instanceof Tensor ? "write [x], and take the first of the result" : undefined,
    ),
    "seed?": tensorKind,
  },
  "by several tensors they are one list: gradients(loss, [w, b])",
);
const gradCall = signature("grad", { f: callable });
const bothCall = signature("valueAndGrad", { f: callable });

const ofTensors = new WeakMap<Tensor, Tensor>();

/** What a gradient is of, where it is one that `gradients` gave, or made from it by what keeps to that (clipping). */
export function gradientOf(gradient: Tensor): Tensor | undefined {
  return ofTensors.get(gradient);
}

/** The gradient, made from another of the same tensor. */
export function asGradientOf(gradient: Tensor, from: Tensor): Tensor {
  const of = ofTensors.get(from);
  if (of) ofTensors.set(gradient, of);
  return gradient;
}

/**
 * Throws GradError where the gradients would be zeros, or a part of what they should be, since what was asked for isn't there any more: `output` reads a value that
 * a wanted variable had before it was assigned; or nothing that is wanted lies behind it, but a compiled call does, whose inside isn't known here. `known`: the ids of what is wanted.
 */
function refuseLost(output: Tensor, wanted: readonly Tensor[], known: ReadonlySet<number>): void {
  const behind = reachable([output.node], (node) => known.has(node.id) || recordOf(node).vjp === "none");
  for (const each of wanted) {
    if (!(each instanceof Variable)) continue;
    if (!behind.some(({ id, standsFor }) => standsFor === each.identity && !known.has(id))) continue;
    throw new GradError({
      where: "gradients",
      problem: "the output was computed from a value that the variable had before it was assigned",
      got: `${(each as { label?: string }).label ?? "a variable"}, ${typeText(each)}`,
      hint: "ask for gradients before the variable is assigned, or compute the output again from its new value; as a constant, the old one is stopGradient(value)",
    });
  }
  if (wanted.length === 0 || behind.some(({ id }) => known.has(id))) return;
  if (!behind.some(({ standsFor }) => standsFor === "result")) return;
  const problem = "the output comes from a compiled function's result, which no gradient goes through";
  const hint = "ask for gradients in the compiled function, and return them";
  refuse(GradError, "gradients", problem, typeText(output), undefined, hint);
}

/** A tensor for each of a list; of a tuple a tuple. */
export type TensorFor<L extends readonly unknown[]> = { -readonly [K in keyof L]: Tensor };

/** Gradients of `output` (float32, a scalar unless `seed` gives the gradient of its own shape) with respect to tensors: one of each one's shape, zeros where nothing depends on it. Throws GradError, also where it depended on a variable that was assigned since, or on what a compiled function was called with. */
export function gradients<W extends readonly Tensor[] | []>(output: Tensor, wanted: W, seed?: Tensor): TensorFor<W> {
  checkArguments(call, arguments);
  const nodes = wanted.map((tensor) => tensor.node);
  // A variable that was given memory since the output was made had another node then.
  const aliases = new Map<number, Node>();
  for (const [i, tensor] of wanted.entries()) {
    const origin = tensor instanceof Variable && !currentTrace() ? tensor.lineage.origin : undefined;
    if (origin !== undefined && !nodes.some(({ id }) => id === origin)) aliases.set(origin, nodes[i]);
  }
  refuseLost(output, wanted, new Set([...nodes.map(({ id }) => id), ...aliases.keys()]));
  return nodeGradients(output.node, nodes, seed?.node, aliases).map((node, i) => {
    const gradient = new Tensor(node);
    ofTensors.set(gradient, wanted[i]);
    return gradient;
  }) as TensorFor<W>;
}

/** Argument `i` of a function of tensors. Throws the error given for anything else. */
export function argumentOf(
  Failure: typeof GradError | typeof ShapeError,
  where: string,
  given: unknown,
  i: number,
): Tensor {
  if (given instanceof Tensor) return given;
  const hint = `close over other values${typeof given === "number" ? "; a list's map gives an index too: map((x) => f(x))" : ""}`;
  refuse(Failure, where, `argument ${i} isn't a tensor`, showValue(given), "a tensor", hint);
}

/**
 * The arguments as tensors whose nodes are nobody else's, so that a tensor that is given twice is two arguments, and one that the function closes over
 * is a constant to it: ×1 keeps bits. A variable is itself, unless it is given twice: a model's function reads it by name.
 */
export function ownArguments(where: string, args: readonly unknown[]): Tensor[] {
  return args.map((given, i) => {
    const tensor = argumentOf(GradError, where, given, i);
    const isTwice = args.some((other, j) => j !== i && (other as Tensor).node === tensor.node);
    const isShared = isTwice || !(tensor instanceof Variable);
    return isShared && tensor.dtype === "float32" ? ops.mul(tensor, 1) : tensor;
  });
}

/** The tensors of a function's result, which is one or a list of them. */
export function resultsOf(where: string, value: unknown, expected = "a tensor, or a list of tensors"): Tensor[] {
  const problem = "the function gives no tensor";
  const hint =
    "it is to be neither async nor compiled: of a compiled function give the one that compile was called with";
  settled(value, () => new GradError({ where, problem, got: "a promise", expected, hint }));
  const list: unknown[] = Array.isArray(value) && where !== "grad" ? value : [value];
  if (list.length > 0 && list.every((each) => each instanceof Tensor)) return list as Tensor[];
  refuse(GradError, where, problem, showValue(value), expected);
}

/** A function of tensors with a scalar result. */
export type ScalarFunction<A extends readonly Tensor[]> = (...args: A) => Tensor;

/** `f` with its gradients by all of its arguments: f(…args) → [value, gradients]. Throws GradError where the value isn't a float32 scalar. */
export function valueAndGrad<A extends readonly Tensor[]>(
  f: ScalarFunction<A>,
): (...args: A) => { value: Tensor; gradients: TensorFor<A> } {
  checkArguments(bothCall, arguments);
  return (...args) => {
    const own = ownArguments("grad", args);
    const [value] = resultsOf("grad", f(...(own as unknown as A)), "a float32 scalar");
    return { value, gradients: gradients(value, own) as TensorFor<A> };
  };
}

/** The gradient of `f` by its first argument, as a function of the same arguments; `valueAndGrad` gives the others too. */
export function grad<A extends readonly [Tensor, ...Tensor[]]>(f: ScalarFunction<A>): (...args: A) => Tensor {
  checkArguments(gradCall, arguments);
  const both = valueAndGrad(f);
  return (...args) => both(...args).gradients[0];
}
