// Sine, cosine and tangent, x in radians. Reduced by π/2 in four parts for |x| ≤ 12868; beyond, which is rare, by all of its digits.
import { abs, add, type Expr, eq, floor, ge, gt, lt, mul, neg, or, rarely, select, sub } from "../expr.ts";
import { reduceLarge } from "./angle.ts";
import { hex, horner } from "./constants.ts";
import { nearest } from "./exp.ts";
import { quotientOf, squareOf, twoParts } from "./parts.ts";

/** An angle as n·π/2 + r + low, |r| ≤ 0.8. */
interface Reduced {
  readonly n: Expr;
  readonly r: Expr;
  readonly low: Expr;
}

/** For |x| ≤ `limit`. */
function reduce(x: Expr): Reduced {
  const n = nearest(mul(x, hex("0x1.45f306p-1")));
  const a = sub(sub(x, mul(n, hex("0x1.92p+0"))), mul(n, hex("0x1.fb4p-12")));
  const w = mul(n, hex("0x1.444p-24"));
  const r = sub(a, w);
  const low = sub(sub(sub(a, r), w), mul(n, hex("0x1.68c234p-39")));
  return { n, r, low };
}

const limit = 12868;

/** An even function of x by its reduced angle, or an odd one, which is x where x is tiny. */
function ofAngle(x: Expr, value: (reduced: Reduced) => Expr, isOdd: boolean): Expr {
  const [small, large] = [value(reduce(x)), value(reduceLarge(x))];
  const isLarge = gt(abs(x), limit);
  if (!isOdd) return rarely(isLarge, x, large, small);
  return rarely(isLarge, x, select(lt(x, 0), neg(large), large), unlessTiny(x, small));
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

/** Sine and cosine of r + low, each in two parts: by one term more than theirs, and with what r² lost by rounding. */
function sineAndCosine(r: Expr, low: Expr) {
  const [z, lost] = squareOf(r);
  const P = horner(z, ["-0x1.555556p-3", "0x1.111164p-7", "-0x1.a0484cp-13", "0x1.77d50ap-19"]);
  const C = horner(z, ["0x1.555556p-5", "-0x1.6c175p-10", "0x1.a063f2p-16", "-0x1.32c4dep-22"]);
  const h = mul(0.5, z);
  const w = sub(1, h);
  const rest = sub(mul(mul(z, z), C), add(mul(r, low), mul(0.5, lost)));
  return {
    sine: twoParts(r, add(mul(mul(r, z), P), sub(mul(low, w), mul(mul(r, lost), 1 / 6)))),
    cosine: twoParts(w, add(sub(sub(1, w), h), rest)),
  };
}

function tangentOf({ n, r, low }: Reduced): Expr {
  const { sine, cosine } = sineAndCosine(r, low);
  const odd = eq(sub(n, mul(2, floor(mul(n, 0.5)))), 1);
  const [top, topLow] = [0, 1].map((part) => select(odd, cosine[part], sine[part]));
  const [bottom, bottomLow] = [0, 1].map((part) => select(odd, neg(sine[part]), cosine[part]));
  return add(...quotientOf([top, topLow], [bottom, bottomLow]));
}

const sineOfAngle = ({ n, r, low }: Reduced) => quadrant(n, sineOf(r, low), cosineOf(r, low));
const cosineOfAngle = ({ n, r, low }: Reduced) => quadrant(add(n, 1), sineOf(r, low), cosineOf(r, low));

/** A tiny angle is its own sine and tangent. */
const unlessTiny = (x: Expr, value: Expr): Expr => select(lt(abs(x), hex("0x1p-12")), x, value);

/** tan x: at most 0.87 ULP; NaN at ±∞. Sine ÷ cosine of the reduced angle, or −cosine ÷ sine, the quotient's remainder made good. */
export const tan = (x: Expr): Expr => ofAngle(x, tangentOf, true);

/** sin x: at most 0.98 ULP; NaN at ±∞. */
export const sin = (x: Expr): Expr => ofAngle(x, sineOfAngle, true);

/** cos x: at most 0.94 ULP; NaN at ±∞. */
export const cos = (x: Expr): Expr => ofAngle(x, cosineOfAngle, false);

/** sin x for |x| ≤ `limit`. */
export const sinOfSmall = (x: Expr): Expr => unlessTiny(x, sineOfAngle(reduce(x)));

/** cos x for |x| ≤ `limit`. */
export const cosOfSmall = (x: Expr): Expr => cosineOfAngle(reduce(x));
