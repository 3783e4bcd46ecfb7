// The softplus, ln(1 + eˣ).
import { abs, add, div, type Expr, floor, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { clamp, expReduce } from "./exp.ts";
import { log } from "./log.ts";

/**
 * ln(1 + eˣ) = max(x, 0) + ln(1 + u), u = e^(−|x|) = 2ⁿ·(1 + y); 1 + u in two parts, d + low, and ln(1 + u) = ln d + low ÷ d. Below −20 it is u, subnormal
 * results included. At most 1.7 ULP, between 0 and 1, and 1.4 below 0.
 */
export function softplus(x: Expr): Expr {
  const { n, y } = expReduce(clamp(neg(abs(x)), -104, 0));
  const half = floor(mul(n, 0.5));
  const [t1, t2] = [pow2(half), pow2(sub(n, half))];
  const t = mul(t1, t2);
  const w = mul(t, y);
  const D = add(1, t);
  const d = add(D, w);
  const low = add(add(sub(D, d), w), add(sub(1, D), t));
  const value = add(log(d), div(low, d));
  const small = mul(mul(add(1, y), t1), t2);
  const tail = select(lt(n, -29), small, value);
  return select(gt(x, 0), add(x, tail), tail);
}
