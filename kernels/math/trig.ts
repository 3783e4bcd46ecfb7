// Sine and cosine, x in radians. Reduced by π/2 in four parts, good to 1 ULP for |x| ≤ 12868; beyond, the bits are as pinned as everywhere, and
// in [−1, 1], but have nothing of the function's value left.
import { abs, add, type Expr, eq, floor, ge, lt, mul, neg, or, select, sub } from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { clamp, nearest } from "./exp.ts";

/** n and r + low with x = n·π/2 + r + low, |r| ≤ π/4. */
function reduce(x: Expr): { n: Expr; r: Expr; low: Expr } {
  const n = nearest(mul(x, hex("0x1.45f306p-1")));
  const a = sub(sub(x, mul(n, hex("0x1.92p+0"))), mul(n, hex("0x1.fb4p-12")));
  const w = mul(n, hex("0x1.444p-24"));
  const r = sub(a, w);
  const low = sub(sub(sub(a, r), w), mul(n, hex("0x1.68c234p-39")));
  return { n, r: clamp(r, -0.8, 0.8), low: clamp(low, -0.001, 0.001) };
}

function sineOf(r: Expr, low: Expr): Expr {
  const z = mul(r, r);
  const P = horner(z, ["-0x1.555546p-3", "0x1.11077ap-7", "-0x1.9954e8p-13"]);
  return add(r, add(mul(mul(r, z), P), low));
}

function cosineOf(r: Expr, low: Expr): Expr {
  const z = mul(r, r);
  const h = mul(0.5, z);
  const w = sub(1, h);
  const C = horner(z, ["0x1.55554ap-5", "-0x1.6c0c2ap-10", "0x1.99e914p-16"]);
  return add(w, add(sub(sub(1, w), h), sub(mul(mul(z, z), C), mul(r, low))));
}

/** The value in quadrant n: s, c, −s, −c. */
function quadrant(n: Expr, s: Expr, c: Expr): Expr {
  const q = sub(n, mul(4, floor(mul(n, 0.25))));
  const value = select(or(eq(q, 1), eq(q, 3)), c, s);
  return select(ge(q, 2), neg(value), value);
}

/** sin x: at most 0.98 ULP for |x| ≤ 12868; NaN at ±∞. */
export function sin(x: Expr): Expr {
  const { n, r, low } = reduce(x);
  return select(lt(abs(x), hex("0x1p-12")), x, quadrant(n, sineOf(r, low), cosineOf(r, low)));
}

/** cos x: at most 0.94 ULP for |x| ≤ 12868; NaN at ±∞. */
export function cos(x: Expr): Expr {
  const { n, r, low } = reduce(x);
  return quadrant(add(n, 1), sineOf(r, low), cosineOf(r, low));
}
