// Division of integers, rounded down; and what becomes a uint32.
import { and, div, type Expr, ge, lt, mul, ne, select, sub, toInt32, toUint32, xor } from "../expr.ts";

/** ⌊a ÷ b⌋ of int32 or uint32; ÷ 0 is 0, and −2³¹ ÷ −1 wraps to −2³¹. */
export function floorDivide(a: Expr, b: Expr): Expr {
  const quotient = div(a, b);
  if (a.type === "uint32") return quotient;
  const rest = sub(a, mul(quotient, b));
  const down = and(and(ne(rest, 0), ne(b, 0)), lt(xor(rest, b), 0));
  return select(down, sub(quotient, 1), quotient);
}

/** A float32 truncated and saturated, NaN → 0; an int32's bits; a bool as 0 or 1. → uint32 */
export function toWord(x: Expr): Expr {
  if (x.type !== "float32") return toUint32(toInt32(x));
  const isLarge = ge(x, 2 ** 31);
  const size = toUint32(toInt32(select(isLarge, sub(x, 2 ** 31), select(lt(x, 0), 0, x))));
  return select(isLarge, xor(size, 2 ** 31), size);
}
