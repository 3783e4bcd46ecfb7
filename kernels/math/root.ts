// Roots of quotients and of sums of squares, scaled by exact powers so that nothing between overflows or loses bits.
import { abs, add, constant, div, type Expr, eq, gt, lt, mul, or, select, sqrt, sub } from "../expr.ts";
import { type Parts, squareOf, twoParts } from "./parts.ts";

/** 1 ÷ √x. At most 0.85 ULP. ±∞ at ±0, NaN below. */
export function rsqrt(x: Expr): Expr {
  const [small, large] = [lt(x, 2 ** -100), gt(x, 2 ** 100)];
  const scaled = mul(x, select(small, 2 ** 48, select(large, 2 ** -48, 1)));
  const inverse = div(1, scaled);
  const value = mul(sqrt(inverse), select(small, 2 ** 24, select(large, 2 ** -24, 1)));
  return select(eq(x, 0), inverse, select(lt(x, 0), constant(Number.NaN), value));
}

/** The square root of a number in two parts, in two parts. 0 at 0. */
export function rootOf([high, low]: Parts): Parts {
  const root = sqrt(high);
  const [square, lost] = squareOf(root);
  const rest = div(add(sub(sub(high, square), lost), low), add(root, root));
  return [root, select(eq(root, 0), 0, rest)];
}

/** √(x² + y²). At most 0.83 ULP, subnormal results included. ∞ where one side is, NaN beside it or not. */
export function hypot(x: Expr, y: Expr): Expr {
  const [a, b] = [abs(x), abs(y)];
  const larger = gt(a, b);
  const [long, short] = [select(larger, a, b), select(larger, b, a)];
  const [small, large] = [lt(long, 2 ** -40), gt(long, 2 ** 60)];
  const [u, v] = [long, short].map((side) => mul(side, select(small, 2 ** 90, select(large, 2 ** -70, 1))));
  const [square, lost] = squareOf(u);
  const [sum, low] = twoParts(square, mul(v, v));
  const value = mul(add(...rootOf([sum, add(low, lost)])), select(small, 2 ** -90, select(large, 2 ** 70, 1)));
  return select(or(eq(a, Infinity), eq(b, Infinity)), Infinity, value);
}
