// The sigmoid linear unit, x·σ(x).
import { abs, add, type Expr, gt, lt, mul, neg, select, sub } from "../expr.ts";
import { hex } from "./constants.ts";
import { clamp, expParts } from "./exp.ts";
import { twelveBits } from "./parts.ts";
import { logistic } from "./sigmoid.ts";

/** x ÷ (1 + e⁻ˣ). At most 0.93 ULP, subnormal results included: x comes into the quotient's two parts before the power of two does. */
export function silu(x: Expr): Expr {
  const bounded = select(lt(x, -112), -112, x);
  const { n, r, tail } = expParts(clamp(neg(bounded), -104, 112));
  const { quotient, correction, negative, t1, t2 } = logistic({ n, y: add(r, tail) });
  const high = select(gt(abs(bounded), hex("0x1p+100")), bounded, twelveBits(bounded));
  const product = add(mul(high, quotient), add(mul(sub(bounded, high), quotient), mul(bounded, correction)));
  const value = select(negative, product, mul(mul(product, t1), t2));
  return select(gt(x, 100), x, select(lt(abs(x), hex("0x1p-30")), mul(0.5, x), value));
}
