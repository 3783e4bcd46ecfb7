// Division of int32, rounded down.
import { and, div, type Expr, lt, mul, ne, select, sub, xor } from "../expr.ts";

/** ⌊a ÷ b⌋ of int32; ÷ 0 is 0, and −2³¹ ÷ −1 wraps to −2³¹. */
export function floorDivide(a: Expr, b: Expr): Expr {
  const quotient = div(a, b);
  const rest = sub(a, mul(quotient, b));
  const down = and(and(ne(rest, 0), ne(b, 0)), lt(xor(rest, b), 0));
  return select(down, sub(quotient, 1), quotient);
}
