// Scalar expressions as faulty hardware, compilers or programs compute them: contracted, wider than they should be, with subnormals flushed, with
// another constant or comparison. Without a fault it is the meaning itself, an element at a time.
import { type Expr, topological } from "../../kernels/expr.ts";
import { narrowed } from "../backend/narrow.ts";

/** A way of computing that isn't the written one. */
export interface ScalarFault {
  /** a·b + c in one rounding: of two products in a sum, the first or the second goes in; `wide`: nothing is rounded before the end. */
  readonly contract?: "first" | "second" | "wide";
  /** Subnormals become zeros: operands, results of each operation, or the final result alone. */
  readonly flush?: "operands" | "results" | "both" | "last";
  /** Another value of one constant. */
  readonly constant?: { readonly of: Expr; readonly value: number };
  /** Another operator of one comparison. */
  readonly comparison?: { readonly of: Expr; readonly op: Comparison };
}

/** A comparison's operator. */
export type Comparison = (Expr & { kind: "compare" })["op"];

const smallestNormal = 2 ** -126;

/** A subnormal becomes a zero of its sign. */
export function flushed(x: number): number {
  return x !== 0 && Math.abs(x) < smallestNormal ? x * 0 : x;
}

const scratch = new DataView(new ArrayBuffer(8));

/** a·b + c rounded once to float32. The product of float32s is exact in float64; the sum is rounded to odd there, so that the second rounding does no harm (Boldo & Melquiond 2008). */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return Math.fround(sum);
  // Knuth's two-sum: what the addition lost, exactly.
  const part = sum - product;
  const lost = product - (sum - part) + (c - part);
  if (lost === 0) return Math.fround(sum);
  scratch.setFloat64(0, sum);
  const bits = scratch.getBigInt64(0);
  if (bits & 1n) return Math.fround(sum);
  // Towards what was lost: away from zero where it has the sum's sign.
  scratch.setBigInt64(0, bits + (lost > 0 === sum > 0 ? 1n : -1n));
  return Math.fround(scratch.getFloat64(0));
}

const words = new Int32Array(1);
const float = new Float32Array(words.buffer);

/** A function from the elements of the inputs to the element of the result. */
export type Scalar = (read: (index: number) => number) => number;

/** Computes `body` under a fault. */
export function scalarOf(body: Expr, { contract, flush, constant, comparison }: ScalarFault = {}): Scalar {
  const order = topological(body);
  const place = new Map(order.map((expr, i) => [expr, i]));
  const values = new Float64Array(order.length);
  const at = (expr: Expr) => values[place.get(expr)!];
  const operands = flush === "operands" || flush === "both";
  const results = flush === "results" || flush === "both";
  const round = contract === "wide" ? (x: number) => x : Math.fround;
  const take = (expr: Expr) => (operands && expr.type === "float32" ? flushed(at(expr)) : at(expr));
  const give = (x: number) => (results ? flushed(round(x)) : round(x));

  const sum = (expr: Expr & { kind: "binary" }, sign: 1 | -1): number => {
    const { a, b } = expr;
    const product = (side: Expr) => side.kind === "binary" && side.op === "mul" && side.type === "float32";
    const [first, second] = contract === "second" ? [b, a] : [a, b];
    const chosen = product(first) ? first : product(second) ? second : undefined;
    if (!contract || contract === "wide" || chosen?.kind !== "binary") return give(take(a) + sign * take(b));
    const other = chosen === a ? sign * take(b) : take(a);
    const factor = chosen === a ? take(chosen.a) : sign * take(chosen.a);
    const fused = fma(factor, take(chosen.b), other);
    return results ? flushed(fused) : fused;
  };

  const compute = (expr: Expr, read: (index: number) => number): number => {
    switch (expr.kind) {
      case "input":
        return read(expr.index);
      case "constant":
        return constant && constant.of === expr ? Math.fround(constant.value) : expr.value;
      case "unary":
        return unary(expr);
      case "binary":
        return expr.type === "float32" ? binary(expr) : integer(expr);
      case "compare":
        return compare(comparison?.of === expr ? comparison.op : expr.op, take(expr.a), take(expr.b)) ? 1 : 0;
      case "select":
        return at(expr.condition) ? at(expr.yes) : at(expr.no);
    }
  };
  const binary = (expr: Expr & { kind: "binary" }): number => {
    switch (expr.op) {
      case "add":
        return sum(expr, 1);
      case "sub":
        return sum(expr, -1);
      case "mul":
        return give(take(expr.a) * take(expr.b));
      default:
        return give(take(expr.a) / take(expr.b));
    }
  };
  const integer = ({ op, type, a, b }: Expr & { kind: "binary" }): number => {
    const [x, y] = [at(a), at(b)];
    const wrapped = (exact: number) => (type === "uint32" ? exact >>> 0 : exact | 0);
    switch (op) {
      case "and":
        return wrapped(x & y);
      case "or":
        return wrapped(x | y);
      case "xor":
        return wrapped(x ^ y);
      case "shl":
        return wrapped(x << y);
      case "shr":
        return type === "uint32" ? x >>> y : x >> y;
      case "mul":
        return wrapped(Math.imul(x, y));
      case "div":
        return y === 0 ? 0 : wrapped(x / y);
      default:
        return wrapped(op === "add" ? x + y : x - y);
    }
  };
  const unary = ({ op, type, x: operand }: Expr & { kind: "unary" }): number => {
    const x = at(operand);
    switch (op) {
      case "neg":
        return type === "float32" ? -x : -x | 0;
      case "abs":
        return type === "float32" ? Math.abs(x) : Math.abs(x) | 0;
      case "sqrt":
        return give(Math.sqrt(take(operand)));
      case "floor":
        return Math.floor(x);
      case "not":
        return x ? 0 : 1;
      case "pow2":
        words[0] = (x + 127) << 23;
        return float[0];
      case "exponent":
        float[0] = x;
        return ((words[0] >>> 23) & 255) - 127;
      case "high16":
        return x >>> 16;
      case "low16":
        return x & 0xffff;
      case "bfloat16":
      case "float16":
        return give(narrowed[op](take(operand)));
      case "toFloat32":
        return Math.fround(x);
      case "toInt32":
        if (operand.type !== "float32") return x | 0;
        return Number.isNaN(x) ? 0 : Math.trunc(Math.min(2147483647, Math.max(-2147483648, x)));
      case "toUint32":
        return x >>> 0;
    }
  };
  const root = order.length - 1;
  return (read) => {
    for (let i = 0; i <= root; i++) values[i] = compute(order[i], read);
    const result = body.type === "float32" ? Math.fround(values[root]) : values[root];
    return flush === "last" ? flushed(result) : result;
  };
}

function compare(op: Comparison, a: number, b: number): boolean {
  switch (op) {
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
  }
}
