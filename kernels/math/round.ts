// Rounding to integers.
import { abs, add, type Expr, floor, lt, neg, select, sub } from "../expr.ts";

/** ⌈x⌉. */
export const ceil = (x: Expr): Expr => neg(floor(neg(x)));

/** x without its fraction. */
export const trunc = (x: Expr): Expr => select(lt(x, 0), ceil(x), floor(x));

/** The nearest integer, ties to even: adding 2²³ and taking it away rounds there. −0 where a negative number rounds to zero. */
export function round(x: Expr): Expr {
  const a = abs(x);
  const magnitude = select(lt(a, 2 ** 23), sub(add(a, 2 ** 23), 2 ** 23), a);
  return select(lt(x, 0), neg(magnitude), select(lt(0, x), magnitude, x));
}
