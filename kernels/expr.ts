// Scalar expressions: what one element of a kernel computes. A small typed tree (shared subtrees by identity) that every backend
// prints or interprets, so that each float32 operation here is one correctly rounded operation there, never contracted or reordered.
import type { NarrowFormat } from "../src/core/dtype.ts";
import { remembered } from "../src/core/remembered.ts";

export type ScalarType = "float32" | "int32" | "uint32" | "bool";

/**
 * - float32 `neg` (flips the sign bit), `abs`, `sqrt`, `floor`; int32 `neg`, `abs` (wrapping); bool `not`
 * - `pow2`: exactly 2ⁿ for integral float32 n in [−126, 127]; unspecified for any other n: select it away or multiply by NaN
 * - `exponent`: ⌊log₂ x⌋ as float32 for normal x > 0; unspecified for any other x: select it away
 * - `high16`, `low16`: the halves of a uint32 word as exact float32 integers in [0, 65535]
 * - `bfloat16`, `float16`: the format's number nearest to a float32, ties to even: subnormals kept, ∞ from half a unit above its largest, −0 and NaN kept
 * - `toFloat32`: int32 rounded to nearest even, bool as 0 or 1; `toInt32`: float32 truncated and saturated, NaN → 0, bool as 0 or 1, of uint32 its bits;
 *   `toUint32`: the bits of an int32
 */
export type UnaryOp =
  | "neg"
  | "abs"
  | "sqrt"
  | "floor"
  | "not"
  | "pow2"
  | "exponent"
  | "high16"
  | "low16"
  | NarrowFormat
  | "toFloat32"
  | "toInt32"
  | "toUint32";
/**
 * float32: + − × ÷, each rounded once. int32 and uint32: add, sub, mul, wrapping; `div` truncates towards zero, x ÷ 0 is 0, −2³¹ ÷ −1 wraps; and, or, xor of all
 * bits; `shl`, `shr` by b mod 32 places, where int32's shr copies the sign bit. bool: and, or.
 */
export type BinaryOp = "add" | "sub" | "mul" | "div" | "and" | "or" | "xor" | "shl" | "shr";
/** IEEE comparisons: false where an operand is NaN, but for `ne`. */
export type CompareOp = "lt" | "le" | "eq" | "ne" | "gt" | "ge";

export type Expr =
  /** The element of the kernel's input `index` at this point; its fill value where the input's view is masked. */
  | { readonly kind: "input"; readonly type: ScalarType; readonly index: number }
  /** float32 values are already rounded; bool is 0 or 1. */
  | { readonly kind: "constant"; readonly type: ScalarType; readonly value: number }
  | { readonly kind: "unary"; readonly type: ScalarType; readonly op: UnaryOp; readonly x: Expr }
  | { readonly kind: "binary"; readonly type: ScalarType; readonly op: BinaryOp; readonly a: Expr; readonly b: Expr }
  | { readonly kind: "compare"; readonly type: "bool"; readonly op: CompareOp; readonly a: Expr; readonly b: Expr }
  /** `yes` where the condition holds, else `no`. Both are computed, but if `yes` is rarely wanted, and computed of nothing but `of` and constants, it may be left out. */
  | {
      readonly kind: "select";
      readonly type: ScalarType;
      readonly condition: Expr;
      readonly yes: Expr;
      readonly no: Expr;
      readonly of?: Expr;
    };

/** An expression, or a number that takes the other operand's type. */
export type Operand = Expr | number;

const inputs: Record<ScalarType, (Expr & { kind: "input" })[]> = { float32: [], int32: [], uint32: [], bool: [] };

/** Input `index`: the same object each time, so that it is one leaf of whatever it becomes a part of. */
export function input(index: number, type: ScalarType): Expr {
  inputs[type][index] ??= { kind: "input", type, index };
  return inputs[type][index];
}

/** A constant; float32 values are rounded here, once. */
export function constant(value: number, type: ScalarType = "float32"): Expr {
  return { kind: "constant", type, value: type === "float32" ? Math.fround(value) : value };
}

function typeOf(a: Operand, b: Operand): ScalarType {
  return typeof a === "number" ? (typeof b === "number" ? "float32" : b.type) : a.type;
}

function lift(x: Operand, type: ScalarType): Expr {
  return typeof x === "number" ? constant(x, type) : x;
}

function unary(op: UnaryOp, x: Expr, type: ScalarType): Expr {
  return { kind: "unary", type, op, x };
}

function binary(op: BinaryOp, a: Operand, b: Operand): Expr {
  const type = typeOf(a, b);
  return { kind: "binary", type, op, a: lift(a, type), b: lift(b, type) };
}

function compare(op: CompareOp, a: Operand, b: Operand): Expr {
  const type = typeOf(a, b);
  return { kind: "compare", type: "bool", op, a: lift(a, type), b: lift(b, type) };
}

export const add = (a: Operand, b: Operand) => binary("add", a, b);
export const sub = (a: Operand, b: Operand) => binary("sub", a, b);
export const mul = (a: Operand, b: Operand) => binary("mul", a, b);
export const div = (a: Operand, b: Operand) => binary("div", a, b);
export const and = (a: Expr, b: Expr) => binary("and", a, b);
export const or = (a: Expr, b: Expr) => binary("or", a, b);
export const xor = (a: Operand, b: Operand) => binary("xor", a, b);
export const shl = (a: Operand, b: Operand) => binary("shl", a, b);
export const shr = (a: Operand, b: Operand) => binary("shr", a, b);
export const lt = (a: Operand, b: Operand) => compare("lt", a, b);
export const le = (a: Operand, b: Operand) => compare("le", a, b);
export const eq = (a: Operand, b: Operand) => compare("eq", a, b);
export const ne = (a: Operand, b: Operand) => compare("ne", a, b);
export const gt = (a: Operand, b: Operand) => compare("gt", a, b);
export const ge = (a: Operand, b: Operand) => compare("ge", a, b);
export const neg = (x: Expr) => unary("neg", x, x.type);
export const abs = (x: Expr) => unary("abs", x, x.type);
export const sqrt = (x: Expr) => unary("sqrt", x, "float32");
export const floor = (x: Expr) => unary("floor", x, "float32");
export const not = (x: Expr) => unary("not", x, "bool");
export const pow2 = (n: Expr) => unary("pow2", n, "float32");
export const exponent = (x: Expr) => unary("exponent", x, "float32");
export const high16 = (word: Expr) => unary("high16", word, "float32");
export const low16 = (word: Expr) => unary("low16", word, "float32");
export const roundTo = (x: Expr, format: NarrowFormat) => unary(format, x, "float32");
export function toFloat32(x: Expr): Expr {
  // A word's halves meet in one rounding.
  if (x.type === "uint32") return add(mul(high16(x), 65536), low16(x));
  return x.type === "float32" ? x : unary("toFloat32", x, "float32");
}
export const toInt32 = (x: Expr) => (x.type === "int32" ? x : unary("toInt32", x, "int32"));
export const toUint32 = (x: Expr) => unary("toUint32", x, "uint32");

/** `yes` where the condition holds, else `no`. */
export function select(condition: Expr, yes: Operand, no: Operand): Expr {
  const type = typeOf(yes, no);
  return { kind: "select", type, condition, yes: lift(yes, type), no: lift(no, type) };
}

/** The same for a condition that hardly ever holds, and a `yes` that costs much more than `no`, and is computed of nothing but `of` and constants. */
export function rarely(condition: Expr, of: Expr, yes: Expr, no: Expr): Expr {
  return { kind: "select", type: yes.type, condition, yes, no, of };
}

/** The direct subexpressions. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "input":
    case "constant":
      return [];
    case "unary":
      return [expr.x];
    case "binary":
    case "compare":
      return [expr.a, expr.b];
    case "select":
      return [expr.condition, expr.yes, expr.no];
  }
}

/** What is always computed for it: a choice's `of` in place of what is rarely wanted. */
export function alwaysComputed(expr: Expr): readonly Expr[] {
  return expr.kind === "select" && expr.of ? [expr.condition, expr.of, expr.no] : children(expr);
}

/** Every distinct node of the expression, children before parents: the order printers assign locals in. */
export function topological(root: Expr, parts = children): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const visit = (expr: Expr) => {
    if (seen.has(expr)) return;
    seen.add(expr);
    for (const child of parts(expr)) visit(child);
    order.push(expr);
  };
  visit(root);
  return order;
}

/** The expression with each part replaced by what `replace` gives for it, whose own parts are replaced already. Shared subtrees stay shared. */
export function rewrite(root: Expr, replace: (expr: Expr) => Expr): Expr {
  const done = new Map<Expr, Expr>();
  const get = (child: Expr) => done.get(child)!;
  for (const expr of topological(root)) done.set(expr, replace(withParts(expr, get)));
  return get(root);
}

/** The expression with other direct subexpressions. */
export function withParts(expr: Expr, part: (child: Expr) => Expr): Expr {
  switch (expr.kind) {
    case "input":
    case "constant":
      return expr;
    case "unary":
      return { ...expr, x: part(expr.x) };
    case "binary":
    case "compare":
      return { ...expr, a: part(expr.a), b: part(expr.b) };
    case "select":
      return {
        ...expr,
        condition: part(expr.condition),
        yes: part(expr.yes),
        no: part(expr.no),
        ...(expr.of && { of: part(expr.of) }),
      };
  }
}

/** The expression with other parts in the place of those that `done` has, to which what is made is added: several expressions made with one share what they have alike. */
export function exchanged(root: Expr, done: Map<Expr, Expr>): Expr {
  return remembered(done, root, () => withParts(root, (part) => exchanged(part, done)));
}

/** The expression with its inputs replaced: how fusion composes scalar bodies. */
export function substitute(root: Expr, replace: (leaf: Expr & { kind: "input" }) => Expr): Expr {
  return rewrite(root, (expr) => (expr.kind === "input" ? replace(expr) : expr));
}
