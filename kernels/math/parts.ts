// Numbers in two parts, and what rounding lost: sums and products to twice the bits in single float32 operations.
import { add, div, type Expr, mul, type Operand, sub } from "../expr.ts";

/** A value and what is to be added to it, which is small beside it. */
export type Parts = readonly [Expr, Expr];

/** x rounded to 12 bits (Veltkamp, whose factor is 2¹² + 1). |x| below 2¹¹⁵. */
export function twelveBits(x: Expr): Expr {
  const c = mul(x, 4097);
  return sub(c, sub(c, x));
}

/** The sum of two numbers, of which the first is the larger, in two parts. */
export function twoParts(a: Operand, b: Expr): Parts {
  const sum = add(a, b);
  return [sum, add(sub(a, sum), b)];
}

/** The sum of any two numbers in two parts. */
export function sumOf(a: Expr, b: Operand): Parts {
  const sum = add(a, b);
  const part = sub(sum, a);
  return [sum, add(sub(a, sub(sum, part)), sub(b, part))];
}

/** x² in two parts. */
export function squareOf(x: Expr): Parts {
  const z = mul(x, x);
  const near = twelveBits(x);
  return [z, add(sub(mul(near, near), z), mul(sub(x, near), add(near, x)))];
}

/** The quotient of two numbers in two parts each, in two parts, of which the first has 12 bits. */
export function quotientOf([top, topLow]: Parts, [bottom, bottomLow]: Parts): Parts {
  const quotient = twelveBits(div(top, bottom));
  const head = twelveBits(bottom);
  const remainder = sub(sub(top, mul(quotient, head)), mul(quotient, add(sub(bottom, head), bottomLow)));
  return [quotient, div(add(remainder, topLow), bottom)];
}

/** What (top + topLow) ÷ (bottom + bottomLow) is beyond their quotient rounded, `quotient`. */
export function remainderOf(quotient: Expr, top: Expr, bottom: Expr, bottomLow?: Expr, topLow?: Expr): Expr {
  const [q1, b1] = [twelveBits(quotient), twelveBits(bottom)];
  const [q2, b2] = [sub(quotient, q1), sub(bottom, b1)];
  const remainder = sub(sub(sub(sub(top, mul(q1, b1)), mul(q1, b2)), mul(q2, b1)), mul(q2, b2));
  const more = bottomLow ? sub(remainder, mul(quotient, bottomLow)) : remainder;
  return div(topLow ? add(more, topLow) : more, bottom);
}
