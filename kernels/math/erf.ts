// The error function, and what it leaves of 1.
import { abs, add, constant, type Expr, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner, ln2High, ln2Low, log2e } from "./constants.ts";
import { expParts, expTail, nearest, scale, shift } from "./exp.ts";
import { quotientOf, squareOf, sumOf, twelveBits, twoParts } from "./parts.ts";

/** erf x − x for |x| ≤ 0.8. */
function smallPart(x: Expr): Expr {
  const P = horner(mul(x, x), [
    "0x1.06eba8p-3",
    "-0x1.81273ep-2",
    "0x1.ce2cf2p-4",
    "-0x1.b7f88cp-6",
    "0x1.540172p-8",
    "-0x1.a3d812p-11",
    "0x1.4917a4p-14",
  ]);
  return mul(x, P);
}

/** erf x. At most 0.87 ULP. A polynomial below 0.8; beyond it 1 − e^(−L(a)), L by a polynomial about 1 whose first term has few bits. */
export function erf(x: Expr): Expr {
  const a = abs(x);
  const bounded = select(gt(a, 3.95), 3.95, a);
  const u = horner(sub(bounded, 1), [
    "-0x1.02774p-18",
    "0x1.51c9aep+1",
    "0x1.afab86p-1",
    "0x1.54854ep-5",
    "-0x1.4836a2p-7",
    "0x1.f7914cp-10",
    "-0x1.b8052cp-13",
  ]);
  const head = hex("0x1.d98p+0");
  const n = nearest(sub(mul(add(head, u), -log2e), shift));
  const r = sub(sub(-head, mul(n, ln2High)), add(u, mul(n, ln2Low)));
  const y = add(r, mul(mul(r, r), expTail(r)));
  const t = pow2(n);
  const large = sub(sub(1, t), mul(t, y));
  const small = add(x, smallPart(x));
  return select(lt(a, 0.8), small, select(lt(x, 0), neg(large), large));
}

/** erfc a for a ≥ 0.65 as S(a)·e^(−a²) ÷ a, S by a polynomial in t = (a − 1.5) ÷ (a + 1.5) whose first terms have few bits. */
function complement(a: Expr): Expr {
  const b = select(gt(a, 10.2), 10.2, a);
  const [near, far] = quotientOf(sumOf(b, -1.5), sumOf(b, 1.5));
  const t = add(near, far);
  const [slope, bend] = [hex("0x1.d3cp-3"), hex("-0x1.ba8p-3")];
  const polynomial = horner(t, [
    "0x1.0ff064p-19",
    "0x1.f3ac08p-15",
    "-0x1.a0972cp-15",
    "0x1.f967dep-5",
    "0x1.44cf2ap-6",
    "-0x1.2004acp-7",
    "-0x1.5111ecp-8",
    "0x1.f32586p-12",
    "0x1.6911eap-10",
    "0x1.ac1422p-12",
    "-0x1.27292ep-12",
    "-0x1.9a44a2p-14",
  ]);
  const [first, lost] = twoParts(hex("0x1.edf4p-2"), mul(near, slope));
  const nearSquare = mul(near, near);
  const square1 = twelveBits(nearSquare);
  const square2 = add(sub(nearSquare, square1), mul(far, add(near, t)));
  const [second, lostToo] = twoParts(first, mul(square1, bend));
  const small = add(add(lost, lostToo), add(mul(far, slope), mul(square2, bend)));
  const [high, low] = twoParts(second, add(small, polynomial));
  const [square, rest] = squareOf(b);
  const { n, r, tail } = expParts(neg(square), rest);
  const [high1, r1] = [twelveBits(high), twelveBits(r)];
  const [numerator, beyond] = twoParts(high, mul(high1, r1));
  const more = add(mul(high1, sub(r, r1)), add(mul(sub(high, high1), r), add(mul(high, tail), mul(low, add(1, r)))));
  return scale(add(...quotientOf([numerator, add(beyond, more)], [b, constant(0)])), n);
}

/** 1 − erf x without what is lost where x > 0. At most 0.95 ULP, subnormal results included. */
export function erfc(x: Expr): Expr {
  const a = abs(x);
  const [head, lost] = twoParts(1, neg(x));
  const small = add(head, sub(lost, smallPart(x)));
  const tail = complement(a);
  return select(lt(a, 0.65), small, select(lt(x, 0), sub(2, tail), tail));
}
