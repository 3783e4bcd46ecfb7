// Scalar expressions over whole arrays, an operation at a time in plain loops: the executable meaning of kernels/expr. Rounding is the
// store into a Float32Array: one correctly rounded + − × ÷ √ of float32 operands, since float64 holds enough for that (53 ≥ 2·24 + 2).
import { type BinaryOp, children, type Expr, topological } from "../../../kernels/expr.ts";
import { makeArray, type TypedArray } from "../../core/dtype.ts";
import { narrowed } from "../narrow.ts";

/** Intermediate values are kept for this many elements at a time. */
const blockSize = 1024;

/** out[i] for i below count, from up to three operands. */
type Loop = (out: TypedArray, count: number, a: TypedArray, b: TypedArray, c: TypedArray) => void;

/** Fills `out` with the expression's value at each element of `inputs`, all of one size. */
export type Evaluator = (inputs: readonly TypedArray[], out: TypedArray) => void;

/** An evaluator of `body` for arrays of `size` elements. It owns its intermediates, so it isn't reentrant. */
export function evaluator(body: Expr, size: number): Evaluator {
  const order = topological(body);
  const number = new Map(order.map((expr, i) => [expr, i]));
  const count = Math.min(blockSize, size);
  const registers = order.map((expr) => makeArray(expr.type, expr.kind === "input" || expr === body ? 0 : count));
  order.forEach((expr, i) => {
    if (expr.kind === "constant") registers[i] = makeArray(expr.type, count).fill(expr.value);
  });
  const steps = order.flatMap((expr, i) => {
    if (expr.kind === "input" || expr.kind === "constant") return [];
    const operands = children(expr).map((operand) => number.get(operand)!);
    return [{ loop: loopOf(expr), to: i, operands }];
  });
  const root = order.length - 1;
  return (inputs, out) => {
    for (let start = 0; start < size; start += blockSize) {
      const end = Math.min(start + blockSize, size);
      order.forEach((expr, i) => {
        if (expr.kind === "input") registers[i] = inputs[expr.index].subarray(start, end);
      });
      const part = out.subarray(start, end);
      if (body.kind === "input" || body.kind === "constant") {
        part.set(registers[root].subarray(0, end - start));
        continue;
      }
      registers[root] = part;
      for (const { loop, to, operands } of steps) {
        loop(registers[to], end - start, registers[operands[0]], registers[operands[1]], registers[operands[2]]);
      }
    }
  };
}

function loopOf(expr: Expr): Loop {
  switch (expr.kind) {
    case "unary":
      return expr.op === "toInt32" && expr.x.type === "float32" ? truncate : unary[expr.op];
    case "binary":
      return expr.type !== "float32" ? (integer[expr.op] ?? binary[expr.op]) : binary[expr.op];
    case "compare":
      return compare[expr.op];
    case "select":
      return select;
    default:
      throw new TypeError(`no loop computes ${expr.kind}`);
  }
}

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/** Float → int32: towards zero, saturated, NaN → 0. */
const truncate: Loop = (out, count, a) => {
  for (let i = 0; i < count; i++) {
    const x = a[i];
    if (x >= 2147483648) out[i] = 2147483647;
    else if (x <= -2147483648) out[i] = -2147483648;
    else out[i] = x === x ? Math.trunc(x) : 0;
  }
};

/** Where an integer isn't what storing wraps it to. */
const integer: Partial<Record<BinaryOp, Loop>> = {
  mul(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = Math.imul(a[i], b[i]);
  },
  div(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = b[i] === 0 ? 0 : Math.trunc(a[i] / b[i]);
  },
};

const copy: Loop = (out, count, a) => {
  for (let i = 0; i < count; i++) out[i] = a[i];
};

const select: Loop = (out, count, condition, yes, no) => {
  for (let i = 0; i < count; i++) out[i] = condition[i] ? yes[i] : no[i];
};

// Storing a result outside its range into an array of integers wraps it, which is the meaning of their neg, abs, add and sub, and of a word's bits.
const unary = {
  neg(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = -a[i];
  },
  abs(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = Math.abs(a[i]);
  },
  sqrt(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = Math.sqrt(a[i]);
  },
  floor(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = Math.floor(a[i]);
  },
  not(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = a[i] ? 0 : 1;
  },
  pow2(out, count, a) {
    for (let i = 0; i < count; i++) {
      bits[0] = (a[i] + 127) << 23;
      out[i] = float[0];
    }
  },
  exponent(out, count, a) {
    for (let i = 0; i < count; i++) {
      float[0] = a[i];
      out[i] = ((bits[0] >>> 23) & 255) - 127;
    }
  },
  high16(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = a[i] >>> 16;
  },
  low16(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = a[i] & 0xffff;
  },
  bfloat16(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = narrowed.bfloat16(a[i]);
  },
  float16(out, count, a) {
    for (let i = 0; i < count; i++) out[i] = narrowed.float16(a[i]);
  },
  toFloat32: copy,
  toInt32: copy,
  toUint32: copy,
} satisfies Record<string, Loop>;

const binary = {
  add(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] + b[i];
  },
  sub(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] - b[i];
  },
  mul(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] * b[i];
  },
  div(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] / b[i];
  },
  and(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] & b[i];
  },
  or(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] | b[i];
  },
  xor(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] ^ b[i];
  },
  shl(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] << b[i];
  },
  shr(out, count, a, b) {
    const signed = a instanceof Int32Array;
    for (let i = 0; i < count; i++) out[i] = signed ? a[i] >> b[i] : a[i] >>> b[i];
  },
} satisfies Record<string, Loop>;

const compare = {
  lt(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] < b[i] ? 1 : 0;
  },
  le(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] <= b[i] ? 1 : 0;
  },
  eq(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] === b[i] ? 1 : 0;
  },
  ne(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] !== b[i] ? 1 : 0;
  },
  gt(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] > b[i] ? 1 : 0;
  },
  ge(out, count, a, b) {
    for (let i = 0; i < count; i++) out[i] = a[i] >= b[i] ? 1 : 0;
  },
} satisfies Record<string, Loop>;
