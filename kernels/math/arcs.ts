// Inverse trigonometric functions.
import { abs, add, constant, div, type Expr, eq, gt, le, lt, mul, neg, or, select, sqrt, sub } from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { remainderOf, sumOf, twelveBits } from "./parts.ts";

const halfPi = { high: hex("0x1.921fb6p+0"), low: hex("-0x1.777a5cp-25") };
/** π/2 whose first part has 12 bits. */
const halfPiParts = { high: hex("0x1.922p+0"), low: hex("-0x1.2aeef4p-18") };

/** atan of |t| ≤ 1 reduced: t·z·P(z). */
function atanTail(t: Expr): Expr {
  const z = mul(t, t);
  const P = horner(z, [
    "-0x1.555538p-2",
    "0x1.998cd6p-3",
    "-0x1.23a32cp-3",
    "0x1.b6ad88p-4",
    "-0x1.27f87p-4",
    "0x1.e26e32p-6",
  ]);
  return mul(mul(t, z), P);
}

/** atan x. At most 0.98 ULP. Reduced by 0, π/4 or π/2. */
export function atan(x: Expr): Expr {
  const a = abs(x);
  const [near, far] = [lt(a, 0.6), gt(a, hex("0x1.aaaaaap+0"))];
  const top = select(near, a, select(far, -1, sub(a, 1)));
  const t = div(top, select(near, 1, select(far, a, add(a, 1))));
  const base = (full: number) => select(near, 0, select(far, full, full / 2));
  const value = add(base(halfPi.high), add(t, add(atanTail(t), base(halfPi.low))));
  return select(lt(a, hex("0x1p-12")), x, select(lt(x, 0), neg(value), value));
}

/** For |x| ≤ ½: z = x² and R with asin x = x + x·R; beyond, z = (1 − |x|)/2, and √z in two parts, of which the first has 12 bits. */
function arcParts(x: Expr) {
  const a = abs(x);
  const near = le(a, 0.5);
  const z = select(near, mul(x, x), mul(sub(1, a), 0.5));
  const R = mul(z, horner(z, ["0x1.5555ccp-3", "0x1.3300cp-4", "0x1.749c6p-5", "0x1.8af02ap-6", "0x1.5a8308p-5"]));
  const root = sqrt(z);
  const high = twelveBits(root);
  const low = select(eq(root, 0), 0, div(sub(z, mul(high, high)), add(root, high)));
  return { a, near, R, twice: add(high, high), lowTwice: add(low, low), product: mul(add(root, root), R) };
}

/** asin x. At most 0.73 ULP. NaN beyond ±1. */
export function asin(x: Expr): Expr {
  const { a, near, R, twice, lowTwice, product } = arcParts(x);
  const large = sub(sub(halfPiParts.high, twice), add(sub(product, constant(halfPiParts.low)), lowTwice));
  const small = select(lt(a, hex("0x1p-12")), x, add(x, mul(x, R)));
  return select(near, small, select(lt(x, 0), neg(large), large));
}

/** acos x. At most 0.79 ULP. NaN beyond ±1. */
export function acos(x: Expr): Expr {
  const { near, R, twice, lowTwice, product } = arcParts(x);
  const small = sub(halfPi.high, sub(x, sub(halfPi.low, mul(x, R))));
  const positive = add(twice, add(product, lowTwice));
  const { high, low } = halfPiParts;
  const negative = sub(sub(2 * high, twice), add(sub(product, constant(2 * low)), lowTwice));
  return select(near, small, select(lt(x, 0), negative, positive));
}

/** 1 for ∞, 0 for other numbers. */
const endless = (a: Expr): Expr => select(eq(a, Infinity), 1, 0);

/** Whether the sign bit is set; false for NaN. */
const isNegative = (x: Expr): Expr => or(lt(x, 0), lt(div(1, x), 0));

/**
 * The angle of the point (x, y) from the positive x axis, in [−π, π]. At most 0.94 ULP (10⁸ pairs). Zeros and infinities as in C: their signs choose the
 * quadrant. The tangent reduced as in `atan`, the quotient's remainder made good.
 */
export function atan2(y: Expr, x: Expr): Expr {
  // One unit for each infinity; by exact factors into the range where the parts of products are numbers.
  const some = or(eq(abs(y), Infinity), eq(abs(x), Infinity));
  const [a, b] = [y, x].map((side) => select(some, endless(abs(side)), abs(side)));
  const largest = select(gt(a, b), a, b);
  const factor = select(gt(largest, 2 ** 60), 2 ** -64, select(lt(largest, 2 ** -60), 2 ** 80, 1));
  const [rise, run] = [mul(a, factor), mul(b, factor)];
  const near = lt(rise, mul(run, 0.6));
  const far = gt(mul(rise, 0.6), run);
  const [sum, sumLow] = sumOf(rise, run);
  const top = select(near, rise, select(far, neg(run), sub(rise, run)));
  const bottom = select(near, run, select(far, rise, sum));
  const t = div(top, bottom);
  const rest = remainderOf(t, top, bottom, select(or(near, far), 0, sumLow));
  const left = isNegative(x);
  const angles = [halfPi.high, halfPi.low].map((full) =>
    select(left, select(near, 2 * full, select(far, full, 1.5 * full)), select(near, 0, select(far, full, full / 2))),
  );
  const [turned, small] = [t, add(atanTail(t), rest)].map((part) => select(left, neg(part), part));
  const value = add(angles[0], add(turned, add(small, angles[1])));
  // A tiny tangent is its angle: with no remainder, which could have no bits left.
  const tiny = lt(rise, mul(run, hex("0x1p-12")));
  const plain = select(tiny, select(left, sub(2 * halfPi.high, sub(div(a, b), 2 * halfPi.low)), div(a, b)), value);
  const angle = select(eq(largest, 0), select(left, 2 * halfPi.high, 0), plain);
  const signed = select(isNegative(y), neg(angle), angle);
  return select(eq(x, x), select(eq(y, y), signed, y), x);
}
