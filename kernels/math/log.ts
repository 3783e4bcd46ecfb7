// The natural logarithm.
import { add, and, constant, div, type Expr, eq, exponent, ge, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner, ln2High, ln2Low } from "./constants.ts";

/** x = 2ᵉ·m with m in [bound ÷ 2, bound). Unspecified where x isn't positive and finite. */
export function binaryParts(x: Expr, bound: number): { e: Expr; m: Expr } {
  // Into [2⁻¹²⁴, 2¹²⁶) by an exact factor: subnormals become normal, and 2ᵏ and 2⁻ᵏ both exist.
  const below = lt(x, 1);
  const { e, m } = normalParts(mul(x, select(below, 2 ** 25, 2 ** -2)), bound);
  return { e: add(e, select(below, -25, 2)), m };
}

/** The same for x in [2⁻¹²⁶, 2¹²⁶). */
function normalParts(x: Expr, bound: number): { e: Expr; m: Expr } {
  const power = exponent(x);
  const mantissa = mul(x, pow2(neg(power)));
  const upper = ge(mantissa, bound);
  return { e: add(power, select(upper, 1, 0)), m: select(upper, mul(mantissa, 0.5), mantissa) };
}

const root2 = hex("0x1.6a09e6p+0");

/** x = 2ᵉ·(1 + f) with 1 + f in [√½, √2). Unspecified where x isn't positive and finite: `logSpecial`. */
export function logParts(x: Expr): { e: Expr; f: Expr } {
  const { e, m } = binaryParts(x, root2);
  return { e, f: sub(m, 1) };
}

/** h, f²/2 rounded, and s·(h + R), with ln(1 + f) = f − (h − s·(h + R)). */
export function logTail(f: Expr): { h: Expr; rest: Expr } {
  const s = div(f, add(2, f));
  const z = mul(s, s);
  const R = mul(z, horner(z, ["0x1.55557ap-1", "0x1.995eccp-2", "0x1.31e26p-2"]));
  const h = mul(mul(0.5, f), f);
  return { h, rest: mul(s, add(h, R)) };
}

/** e·ln 2 + ln(1 + f), plus `low` where there is one. */
export function logSum({ e, f }: { e: Expr; f: Expr }, low?: Expr): Expr {
  const { h, rest } = logTail(f);
  const small = mul(e, ln2Low);
  return add(mul(e, ln2High), sub(f, sub(h, add(rest, low ? add(small, low) : small))));
}

/** ln x + low for x in [2⁻¹²⁶, 2¹²⁶). */
export function logOfNormal(x: Expr, low: Expr): Expr {
  const { e, m } = normalParts(x, root2);
  return logSum({ e, f: sub(m, 1) }, low);
}

/** A logarithm's value where x is positive and finite, else what C's annex F says: −∞ at ±0, NaN below, ∞ at ∞. */
export function logSpecial(x: Expr, value: Expr): Expr {
  return select(
    and(gt(x, 0), lt(x, Infinity)),
    value,
    select(eq(x, 0), constant(-Infinity), select(lt(x, 0), constant(Number.NaN), x)),
  );
}

/** ln x. At most 0.84 ULP. */
export function log(x: Expr): Expr {
  return logSpecial(x, logSum(logParts(x)));
}
