// The arguments of ops: which function takes what. A function of nodes is given its signature beside its definition; tensors' functions and
// methods check it before they call. Within the engine ops call each other unchecked.
import {
  either,
  isRecord,
  type Kind,
  type Kinds,
  kind,
  listOf,
  number,
  type Signature,
  signature,
} from "../core/arguments.ts";
import { Node } from "../graph/node.ts";

export * from "../core/arguments.ts";
export { dtype as dtypeKind, shape as shapeKind } from "../core/arguments.ts";

const wrap: NonNullable<Kind["explain"]> = (_, value) => {
  if (value === null) return "leave an argument out, or give undefined, where there is none";
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return "make a tensor of values first: tensor(values)";
  if (typeof value === "boolean") return "write tensor(true) or tensor(false), or 1 and 0";
  if (typeof value === "number") return `make a tensor of it first: tensor(${value})`;
  return undefined;
};

export const tensor: Kind = kind("a tensor", (value) => value instanceof Node, wrap);
const isOperand = (value: unknown) => value instanceof Node || typeof value === "number";
/** A tensor, or a number that takes the dtype of the other operands. */
export const operand: Kind = kind("a tensor or a number", isOperand, wrap);
/** A tensor where options could be meant. */
export const biasKind: Kind = {
  ...tensor,
  explain: (at, value) =>
    isRecord(value) ? "options come after it: give undefined where there is none" : wrap(at, value),
};
export const tensors: Kind = {
  ...listOf(tensor, "a list of tensors"),
  explain: (at, value) => (value instanceof Node ? "they are one list, as in [a, b]" : wrap(at, value)),
};
/** One axis. */
export const axisKind: Kind = {
  ...number,
  expected: "an axis: a number",
  explain: (_, value) => (isRecord(value) ? "write the axis itself, as in softmax(x, 1)" : undefined),
};
export const axesKind: Kind = either(number, listOf(number, "a list of axes"));
/** One number, or several, as a list. */
export const listed = (value: number | readonly number[]) => (typeof value === "number" ? [value] : value);

const signatures = new WeakMap<object, Signature>();

/** Says what functions take, by their names: `takes({ softmax, logSoftmax }, { x: tensor, "axis?": number })`. */
export function takes(
  functions: Readonly<Record<string, (...args: never[]) => unknown>>,
  parameters: Kinds,
  hint?: string,
): void {
  for (const [name, apply] of Object.entries(functions)) signatures.set(apply, signature(name, parameters, hint));
}

/** What a function of nodes takes; a function without a signature can't be lifted. */
export function signatureOf(apply: object): Signature {
  const found = signatures.get(apply);
  if (!found) throw new Error(`an op without a signature: ${(apply as { name: string }).name}`);
  return found;
}
