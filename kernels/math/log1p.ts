// ln(1 + x) without what is lost near 0.
import { abs, add, div, type Expr, ge, lt, select, sub } from "../expr.ts";
import { hex } from "./constants.ts";
import { logParts, logSpecial, logSum } from "./log.ts";

/** ln(1 + x). At most 0.87 ULP. −∞ at −1, NaN below, ±0 at ±0. With u = 1 + x rounded and c what that lost: ln u + c ÷ u. */
export function log1p(x: Expr): Expr {
  const u = add(1, x);
  const lost = select(ge(x, 1), sub(1, sub(u, x)), sub(x, sub(u, 1)));
  const value = logSpecial(u, logSum(logParts(u), div(lost, u)));
  return select(lt(abs(x), hex("0x1p-25")), x, value);
}
