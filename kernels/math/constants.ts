// Constants as they are fitted and printed in the field: hexadecimal, exact; and polynomials in them.
import { add, constant, type Expr, mul } from "../expr.ts";

/** The number that a hexadecimal literal of C names: `hex("-0x1.62ep-1")`. */
export function hex(literal: string): number {
  const [, sign, whole, fraction = "", power] = literal.match(/^(-?)0x([01])(?:\.([0-9a-f]+))?p([+-]?\d+)$/)!;
  let value = Number.parseInt(whole + fraction, 16);
  for (let exponent = Number(power) - 4 * fraction.length; exponent !== 0; exponent -= Math.sign(exponent)) {
    value *= exponent > 0 ? 2 : 0.5;
  }
  return sign ? -value : value;
}

/** c₀ + x·(c₁ + x·(c₂ + …)), each operation rounded. */
export function horner(x: Expr, coefficients: readonly string[]): Expr {
  const [last, ...rest] = [...coefficients].reverse().map((literal) => constant(hex(literal)));
  return rest.reduce<Expr>((sum, coefficient) => add(coefficient, mul(x, sum)), last);
}

/** log₂e. */
export const log2e = hex("0x1.715476p+0");
/** ln 2 in two parts: n·high is exact for |n| < 4096. */
export const ln2High = hex("0x1.62ep-1");
export const ln2Low = hex("0x1.0bfbe8p-15");
