// The Gaussian error linear unit, x·Φ(x).
import { abs, add, div, type Expr, gt, lt, mul, neg, select, sub } from "../expr.ts";
import { hex, horner, splitter } from "./constants.ts";
import { clamp, expParts, expReduce, scale } from "./exp.ts";
import { twelveBits, twoParts } from "./parts.ts";
import { logistic } from "./sigmoid.ts";

/** a·(1 − Φ(a)) for a ≥ 0 as S(a)·e^(−a²/2), S by a polynomial in (a − 1.5) ÷ (a + 1.5), a² in two parts. */
function tail(a: Expr): Expr {
  const b = select(gt(a, 14.6), 14.6, a);
  const t = div(sub(b, 1.5), add(b, 1.5));
  const u = mul(
    t,
    horner(t, [
      "0x1.b06052p-3",
      "-0x1.02a808p-3",
      "-0x1.445c8cp-6",
      "0x1.22f03ap-6",
      "0x1.6194fap-7",
      "0x1.cdc5a8p-11",
      "-0x1.455d4cp-9",
      "-0x1.2d7892p-9",
      "-0x1.b391b4p-12",
      "0x1.09cec0p-10",
    ]),
  );
  const first = hex("0x1.3c144p-2");
  const high = add(first, u);
  const low = add(sub(first, high), u);
  const c = mul(b, splitter);
  const head = sub(c, sub(c, b));
  const rest = mul(0.5, mul(sub(b, head), add(b, head)));
  const { n, y } = expReduce(mul(-0.5, mul(head, head)), rest);
  return scale(add(high, add(mul(high, y), low)), n);
}

/** x·Φ(x) (Hendrycks & Gimpel 2016), the exact form. At most 1.85 ULP, near −0.7; below 1 ULP for all but some 3·10⁵ inputs. */
export function gelu(x: Expr): Expr {
  const a = abs(x);
  const h = tail(a);
  const large = select(lt(x, 0), neg(h), sub(x, h));
  const z = mul(x, x);
  const P = horner(z, ["0x1.988454p-2", "-0x1.1058d0p-4", "0x1.46f516p-7", "-0x1.39be5ep-10", "0x1.e8ca66p-14"]);
  const half = mul(0.5, x);
  const small = add(half, mul(z, P));
  return select(lt(a, hex("0x1p-30")), half, select(lt(a, 0.7), small, large));
}

/** 2·√(2 ÷ π), and 0.044715 times it: the first part of few bits. */
const [slope, bend] = [
  { high: hex("0x1.988p+0"), low: hex("0x1.14cf5p-14") },
  { high: hex("0x1.244p-4"), low: hex("0x1.3ca936p-18") },
];

/** x·σ(2·√(2 ÷ π)·(x + 0.044715·x³)), its approximation by tanh. At most 1.61 ULP: over 1 for 289 inputs below −8, of results near 2⁻¹²⁶. The logistic's argument and quotient in two parts. */
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
  const { n, r, tail } = expParts(neg(mul(near, w1)), small);
  const { quotient, correction, negative, t1, t2 } = logistic({ n, y: add(r, tail) });
  const product = add(mul(near, quotient), add(mul(far, quotient), mul(b, correction)));
  const value = select(negative, product, mul(mul(product, t1), t2));
  return select(gt(x, 11), x, select(lt(abs(x), hex("0x1p-30")), mul(0.5, x), value));
}
