// The natural logarithm.
import {
  add,
  and,
  constant,
  div,
  type Expr,
  eq,
  exponent,
  floor,
  ge,
  gt,
  lt,
  mul,
  neg,
  pow2,
  select,
  sub,
} from "../expr.ts";
import { hex, horner, ln2High, ln2Low } from "./constants.ts";

const smallestNormal = hex("0x1p-126");

/** ln x. At most 0.84 ULP. x = 2ᵉ·m with m in [√½, √2); −∞ at ±0, NaN below. */
export function log(x: Expr): Expr {
  const subnormal = lt(x, smallestNormal);
  const lifted = select(subnormal, mul(x, 33554432), x);
  const proper = and(gt(lifted, 0), lt(lifted, Infinity));
  const y = select(proper, lifted, 1);
  const power = exponent(y);
  const half = floor(mul(power, 0.5));
  const mantissa = mul(mul(y, pow2(neg(half))), pow2(sub(half, power)));
  const upper = ge(mantissa, hex("0x1.6a09e6p+0"));
  const m = select(upper, mul(mantissa, 0.5), mantissa);
  const e = sub(select(upper, add(power, 1), power), select(subnormal, 25, 0));
  const f = sub(m, 1);
  const s = div(f, add(2, f));
  const z = mul(s, s);
  const R = mul(z, horner(z, ["0x1.55557ap-1", "0x1.995eccp-2", "0x1.31e26p-2"]));
  const h = mul(mul(0.5, f), f);
  const value = add(mul(e, ln2High), sub(f, sub(h, add(mul(s, add(h, R)), mul(e, ln2Low)))));
  return select(proper, value, select(eq(x, 0), constant(-Infinity), select(lt(x, 0), constant(Number.NaN), x)));
}
