// The logistic function.
import { abs, add, constant, div, type Expr, floor, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { clamp, expReduce } from "./exp.ts";
import { twelveBits } from "./parts.ts";

/** 1 ÷ (d + low) as quotient + correction: the quotient has 12 bits, and its remainder is made good. */
export function inverse(d: Expr, low: Expr): { quotient: Expr; correction: Expr } {
  const q = div(constant(1), d);
  const [quotient, dHigh] = [twelveBits(q), twelveBits(d)];
  const remainder = sub(sub(1, mul(quotient, dHigh)), mul(quotient, add(sub(d, dHigh), low)));
  return { quotient, correction: mul(q, remainder) };
}

/**
 * 1 ÷ (1 + 2ⁿ·(1 + y)) as (quotient + correction), to be multiplied by t1·t2 where n ≥ 0: the smaller of 1 and 2ⁿ is factored out.
 */
export function logistic({ n, y }: { n: Expr; y: Expr }) {
  const k = neg(abs(n));
  const half = floor(mul(k, 0.5));
  const [t1, t2] = [pow2(half), pow2(sub(k, half))];
  const t = mul(t1, t2);
  const D = add(1, t);
  const negative = lt(n, 0);
  const w = select(negative, mul(t, y), y);
  const d = add(D, w);
  const low = add(add(sub(D, d), w), add(sub(1, D), t));
  return { ...inverse(d, low), negative, t1, t2 };
}

/** 1 ÷ (1 + e⁻ˣ). At most 0.91 ULP, subnormal results included. */
export function sigmoid(x: Expr): Expr {
  const { quotient, correction, negative, t1, t2 } = logistic(expReduce(clamp(neg(x), -104, 104)));
  const value = add(quotient, correction);
  return select(negative, value, mul(mul(value, t1), t2));
}
