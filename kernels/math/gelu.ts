// The Gaussian error linear unit, x·Φ(x).
import { abs, add, div, type Expr, floor, ge, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner, ln2High, ln2Low, log2e } from "./constants.ts";
import { clamp, expParts, expTail } from "./exp.ts";
import { twelveBits, twoParts } from "./parts.ts";
import { logistic } from "./sigmoid.ts";

/** a·(1 − Φ(a)) for 0.281 ≤ a ≤ 1.475, by the two points where it is `level`: level + (a − low)·(a − high)·R(a), in which nothing cancels. */
function middle(a: Expr): Expr {
  const [low, high, level] = [hex("0x1.5a96p-2"), hex("0x1.4fbef6p+0"), hex("0x1.fd7dc8p-4")];
  const t = sub(a, high);
  const R = horner(t, [
    "-0x1.0a5df4p-3",
    "0x1.c0064ap-4",
    "-0x1.a92cfp-6",
    "-0x1.49cdbcp-7",
    "0x1.a8a784p-8",
    "-0x1.6e6934p-15",
    "-0x1.93d524p-11",
    "0x1.192796p-13",
    "0x1.5201aap-14",
  ]);
  return add(level, mul(t, mul(sub(a, low), R)));
}

/** a·(1 − Φ(a)) for a ≥ 1.475: e^(−(a²/2 + level + u)), a² in two parts, level of few bits, u a polynomial in (a − c) ÷ (a + 1.5) that is 0 at c ≈ 2.45. */
function tail(a: Expr): Expr {
  const b = select(gt(a, 14.6), 14.6, a);
  const t = div(sub(b, hex("0x1.3a2df6p+1")), add(b, 1.5));
  const u = mul(
    t,
    horner(t, [
      "-0x1.46487ep-2",
      "0x1.1279f4p-2",
      "-0x1.596a9ap-4",
      "0x1.620c36p-6",
      "-0x1.4dc608p-6",
      "0x1.4cf238p-7",
      "-0x1.8ccaa6p-9",
      "0x1.6bfd8ap-9",
      "-0x1.449968p-10",
    ]),
  );
  const level = hex("0x1.0b4p+0");
  const head = twelveBits(b);
  const rest = mul(0.5, mul(sub(b, head), add(b, head)));
  const v = mul(-0.5, mul(head, head));
  // level ÷ ln 2 + shift − ½ in one.
  const n = floor(sub(mul(sub(v, u), log2e), hex("0x1.1751fcp+0")));
  const high = sub(sub(v, mul(n, ln2High)), level);
  const low = add(mul(n, ln2Low), add(rest, u));
  const r = sub(high, low);
  const [sum, lost] = twoParts(1, r);
  const p = add(sum, add(lost, add(mul(mul(r, r), expTail(r)), sub(sub(high, r), low))));
  // n is in [−153, −1]: a constant power takes it into the range of pow2, and the result to where it may be subnormal.
  return mul(mul(p, pow2(add(n, 64))), 2 ** -64);
}

/** x·Φ(x) (Hendrycks & Gimpel 2016), the exact form. At most 1 ULP, subnormal results included. */
export function gelu(x: Expr): Expr {
  const a = abs(x);
  // What is taken away is +0 where x is tiny, so that −0 stays.
  const z = mul(x, x);
  const P = horner(z, ["-0x1.988454p-2", "0x1.10595ap-4", "-0x1.47ab5ap-7", "0x1.64d6bep-10"]);
  const small = sub(mul(0.5, x), select(gt(a, hex("0x1p-30")), mul(z, P), 0));
  const large = sub(select(lt(x, -0), -0, x), select(ge(a, 1.475), tail(a), middle(a)));
  return select(ge(a, 0.281), large, small);
}

/** 2·√(2 ÷ π), and 0.044715 times it: the first part of few bits. */
const [slope, bend] = [
  { high: hex("0x1.988p+0"), low: hex("0x1.14cf5p-14") },
  { high: hex("0x1.244p-4"), low: hex("0x1.3ca936p-18") },
];

/** x·σ(2·√(2 ÷ π)·(x + 0.044715·x³)), its approximation by tanh. At most 0.89 ULP. The logistic's argument and quotient in two parts. */
export function geluTanh(x: Expr): Expr {
  const b = clamp(x, -11, 11);
  const near = twelveBits(b);
  const far = sub(b, near);
  // x² in two parts, w = slope + bend·x² and v = x·w each in two of which the first is exact.
  const square = mul(near, near);
  const squareLow = mul(far, add(b, near));
  const square1 = twelveBits(square);
  const square2 = add(sub(square, square1), squareLow);
  const [w, lost] = twoParts(slope.high, mul(bend.high, square1));
  const rest = add(mul(bend.high, square2), mul(bend.low, add(square, squareLow)));
  const low = add(lost, add(slope.low, rest));
  const w1 = twelveBits(w);
  const small = add(mul(far, w1), mul(b, add(sub(w, w1), low)));
  const v = neg(mul(near, w1));
  const { n, r, tail } = expParts(v, small, sub(v, small));
  const { quotient, correction, negative, t1, t2 } = logistic({ n, y: add(r, tail) });
  const product = add(mul(near, quotient), add(mul(far, quotient), mul(b, correction)));
  const value = select(negative, product, mul(mul(product, t1), t2));
  return select(gt(x, 11), x, select(lt(abs(x), hex("0x1p-30")), mul(0.5, x), value));
}
