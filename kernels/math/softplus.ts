// The softplus, ln(1 + eˣ).
import { add, constant, div, type Expr, ge, gt, lt, mul, pow2, select, sub } from "../expr.ts";
import { clamp, expParts, scale } from "./exp.ts";
import { logOfNormal } from "./log.ts";

/**
 * ln(1 + eˣ). At most 1 ULP, subnormal results included. With eˣ = u, 1 + u in two parts, d + low: ln d + low ÷ d. Below −12 it is u − u²/2, above 20 x.
 */
export function softplus(x: Expr): Expr {
  const { n, r, tail } = expParts(clamp(x, -104, 30));
  const y = add(r, tail);
  const t = pow2(select(lt(n, -60), -60, n));
  // The sum of 1 and t·(1 + y): of 1 and t the larger first.
  const upper = ge(n, 0);
  const [larger, smaller] = [select(upper, t, 1), select(upper, 1, t)];
  const w = mul(t, y);
  const D = add(larger, smaller);
  const d = add(D, w);
  const low = add(add(sub(D, d), w), add(sub(larger, D), smaller));
  const value = logOfNormal(d, div(low, d));
  const u = add(1, y);
  const halfSquare = mul(mul(0.5, t), mul(u, u));
  const small = scale(add(constant(1), add(r, sub(tail, halfSquare))), n);
  return select(gt(x, 20), x, select(lt(x, -12), small, value));
}
