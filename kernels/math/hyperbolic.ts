// Hyperbolic sine and cosine: a polynomial near 0, beyond it half of eᵃ ± e⁻ᵃ, the smaller of them added to what eᵃ has beside its power of two.
import { abs, add, constant, div, type Expr, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { expParts, scale } from "./exp.ts";

/** (eᵃ + sign·e⁻ᵃ) ÷ 2 for a ≥ 1; ∞ from 89.42 on. */
function halfSum(a: Expr, sign: 1 | -1): Expr {
  const { n, r, tail } = expParts(select(gt(a, 90), 90, a));
  const t = pow2(neg(select(gt(n, 60), 60, n)));
  const y = add(r, tail);
  const other = div(mul(t, t), add(1, y));
  return scale(add(constant(1), add(r, (sign === 1 ? add : sub)(tail, other))), sub(n, 1));
}

/** sinh x. At most 0.95 ULP. */
export function sinh(x: Expr): Expr {
  const a = abs(x);
  const z = mul(x, x);
  const P = horner(z, [
    "0x1.555556p-3",
    "0x1.1110f2p-7",
    "0x1.a021e6p-13",
    "0x1.70f654p-19",
    "0x1.c6e382p-26",
    "0x1.c04cf2p-35",
  ]);
  const large = halfSum(a, -1);
  const value = select(lt(a, 1), add(x, mul(mul(x, z), P)), select(lt(x, 0), neg(large), large));
  return select(lt(a, hex("0x1p-12")), x, value);
}

/** cosh x. At most 0.95 ULP. */
export function cosh(x: Expr): Expr {
  const a = abs(x);
  const z = mul(x, x);
  const P = horner(z, ["0x1p-1", "0x1.555556p-5", "0x1.6c167p-10", "0x1.a02ca6p-16", "0x1.2939ecp-22"]);
  return select(lt(a, 0.6), add(1, mul(z, P)), halfSum(a, 1));
}
