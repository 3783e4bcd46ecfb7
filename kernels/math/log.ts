// The natural logarithm.
import { add, and, constant, div, type Expr, eq, exponent, ge, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner, ln2High, ln2Low } from "./constants.ts";

/** ln x. At most 0.84 ULP. x = 2ᵉ·m with m in [√½, √2); −∞ at ±0, NaN below. */
export function log(x: Expr): Expr {
  // Into [2⁻¹²⁴, 2¹²⁶) by an exact factor: subnormals become normal, and 2ᵏ and 2⁻ᵏ both exist.
  const below = lt(x, 1);
  const y = mul(x, select(below, 2 ** 25, 2 ** -2));
  const power = exponent(y);
  const mantissa = mul(y, pow2(neg(power)));
  const upper = ge(mantissa, hex("0x1.6a09e6p+0"));
  const m = select(upper, mul(mantissa, 0.5), mantissa);
  const e = add(add(power, select(upper, 1, 0)), select(below, -25, 2));
  const f = sub(m, 1);
  const s = div(f, add(2, f));
  const z = mul(s, s);
  const R = mul(z, horner(z, ["0x1.55557ap-1", "0x1.995eccp-2", "0x1.31e26p-2"]));
  const h = mul(mul(0.5, f), f);
  const value = add(mul(e, ln2High), sub(f, sub(h, add(mul(s, add(h, R)), mul(e, ln2Low)))));
  return select(
    and(gt(x, 0), lt(x, Infinity)),
    value,
    select(eq(x, 0), constant(-Infinity), select(lt(x, 0), constant(Number.NaN), x)),
  );
}
