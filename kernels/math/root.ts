// Roots of quotients and of sums of squares, scaled by exact powers so that nothing between overflows or loses bits.
import { constant, div, type Expr, eq, gt, lt, mul, select, sqrt } from "../expr.ts";

/** 1 ÷ √x. At most 0.85 ULP. ±∞ at ±0, NaN below. */
export function rsqrt(x: Expr): Expr {
  const [small, large] = [lt(x, 2 ** -100), gt(x, 2 ** 100)];
  const scaled = mul(x, select(small, 2 ** 48, select(large, 2 ** -48, 1)));
  const value = mul(sqrt(div(1, scaled)), select(small, 2 ** 24, select(large, 2 ** -24, 1)));
  return select(eq(x, 0), div(1, x), select(lt(x, 0), constant(Number.NaN), value));
}
