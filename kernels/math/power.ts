// Powers of any exponent: log₂ to twice the bits, times the exponent, as a power of two. Reduced by 1 or 1.5, as fdlibm's e_powf.c is.
import {
  abs,
  add,
  and,
  constant,
  div,
  type Expr,
  eq,
  floor,
  ge,
  gt,
  lt,
  mul,
  ne,
  neg,
  or,
  select,
  sub,
} from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { clamp, nearest, scale, shift } from "./exp.ts";
import { exp2Parts } from "./exp2.ts";
import { binaryParts } from "./log.ts";
import { type Parts, twelveBits, twoParts } from "./parts.ts";

/** 2 ÷ ln 2 and its third, which begin 2·atanh s ÷ ln 2 = s·(head + z·third + …): the first part of few bits. */
const head = { high: hex("0x1.716p+1"), low: hex("-0x1.7135a8p-12") };
const third = { high: hex("0x1.ec8p-1"), low: hex("-0x1.ec478cp-14") };
/** log₂ 1.5. */
const base = { high: hex("0x1.2b8p-1"), low: hex("0x1.a39fbep-20") };

/** log₂ a for a positive and finite in two parts, of which the first has 12 bits. */
function log2Parts(a: Expr): Parts {
  // The mantissa m in [0.866, 1.732).
  const { e, m } = binaryParts(a, hex("0x1.bb67aep+0"));
  const far = ge(m, hex("0x1.3988e2p+0"));
  const about = select(far, 1.5, 1);
  // s = f ÷ d in two parts, by the remainder.
  const [f, d] = [sub(m, about), add(m, about)];
  const s = div(f, d);
  const [s1, d1] = [twelveBits(s), twelveBits(d)];
  const dLow = add(sub(d, d1), sub(m, sub(d, about)));
  const s2 = div(sub(sub(f, mul(s1, d1)), mul(s1, dLow)), d);
  const square = mul(s1, s1);
  const squareLow = mul(add(s1, s1), s2);
  const z = add(square, squareLow);
  const z1 = twelveBits(square);
  const z2 = add(sub(square, z1), squareLow);
  const rest = add(mul(third.low, z), mul(mul(z, z), horner(z, ["0x1.27743p-1", "0x1.ab6312p-2"])));
  const [A, lost] = twoParts(head.high, mul(z1, third.high));
  const low = add(lost, add(head.low, add(mul(z2, third.high), rest)));
  const factor = add(A, low);
  const A1 = twelveBits(factor);
  const A2 = add(sub(A, A1), low);
  const product = mul(s1, A1);
  const [high, added] = [select(far, base.high, 0), select(far, base.low, 0)];
  const tail = add(add(mul(s1, A2), mul(s2, factor)), added);
  const t = twelveBits(add(add(add(product, tail), high), e));
  return [t, sub(tail, sub(sub(sub(t, e), high), product))];
}

/** aʸ for a positive and finite, y finite: 2^(y·log₂ a), 0 and ∞ beyond float32's range. */
function magnitude(a: Expr, y: Expr): Expr {
  const [t, low] = log2Parts(a);
  const y1 = twelveBits(y);
  const product = mul(y1, t);
  const rest = add(mul(sub(y, y1), t), mul(y, low));
  const v = clamp(add(product, rest), -151, 129);
  const n = nearest(sub(v, shift));
  const g = sub(product, n);
  const f = add(g, rest);
  const inside = and(gt(v, -151), lt(v, 129));
  const { head, rest: small } = exp2Parts(select(inside, f, 0), select(inside, add(sub(g, f), rest), 0));
  return select(ne(v, v), v, scale(add(head, small), n));
}

/** xʸ. At most 0.88 ULP (10⁸ pairs). Special values are C's: 1 where y is 0 or x is 1, NaN or not; NaN for x < 0 unless y is an integer. */
export function pow(x: Expr, y: Expr): Expr {
  const a = abs(x);
  const edge = or(eq(a, 0), eq(a, Infinity));
  // Beyond 2³³ a power of anything but 1 has left float32's range.
  const value = magnitude(select(edge, 1, a), clamp(y, -(2 ** 33), 2 ** 33));
  const grows = or(and(gt(a, 1), gt(y, 0)), and(lt(a, 1), lt(y, 0)));
  const all = select(and(edge, eq(y, y)), select(grows, Infinity, 0), value);
  const half = mul(y, 0.5);
  const whole = eq(floor(y), y);
  const odd = and(whole, ne(floor(half), half));
  const negative = or(lt(x, 0), lt(div(1, x), 0));
  const signed = select(and(negative, odd), neg(all), all);
  const undefinedThere = and(and(lt(x, 0), gt(x, -Infinity)), and(lt(abs(y), Infinity), ne(floor(y), y)));
  return select(or(eq(y, 0), eq(x, 1)), 1, select(undefinedThere, constant(Number.NaN), signed));
}
