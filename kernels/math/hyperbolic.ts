// Hyperbolic functions and their inverses. Sine and cosine: a polynomial near 0, beyond it half of eᵃ ± e⁻ᵃ, the smaller of them added to what eᵃ has beside its power of two.
import { abs, add, constant, div, type Expr, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { expParts, scale } from "./exp.ts";
import { logParts, logSum } from "./log.ts";
import { remainderOf, squareOf, sumOf } from "./parts.ts";
import { rootOf } from "./root.ts";

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

/** ln(a + √(a² + sign)) for a ≥ ½, or 1.5 with −1: the sum and the root in two parts; from 4096 on, ln 2a. */
function logOfSum(a: Expr, sign: 1 | -1): Expr {
  const large = gt(a, 4096);
  const bounded = select(large, 4096, a);
  const [square, lost] = squareOf(bounded);
  const [under, low] = sumOf(square, sign);
  const [root, rest] = rootOf([under, add(low, lost)]);
  const [sum, beyond] = sumOf(root, bounded);
  const { e, f } = logParts(select(large, a, sum));
  return logSum({ e: add(e, select(large, 1, 0)), f }, select(large, 0, div(add(beyond, rest), sum)));
}

/** The number whose hyperbolic sine is x. At most 0.9 ULP. */
export function asinh(x: Expr): Expr {
  const a = abs(x);
  const z = mul(x, x);
  const P = horner(z, [
    "-0x1.555554p-3",
    "0x1.333238p-4",
    "-0x1.6d7e4ap-5",
    "0x1.ec0924p-6",
    "-0x1.4859d4p-6",
    "0x1.2ee74ap-7",
  ]);
  const large = select(lt(a, Infinity), logOfSum(a, 1), a);
  const value = select(lt(a, 0.5), add(x, mul(mul(x, z), P)), select(lt(x, 0), neg(large), large));
  return select(lt(a, hex("0x1p-12")), x, value);
}

/** The number ≥ 0 whose hyperbolic cosine is x. At most 0.9 ULP. NaN below 1. Near 1, √2t·(1 + t·P(t)) with t = x − 1, the root in two parts. */
export function acosh(x: Expr): Expr {
  const t = sub(x, 1);
  const [root, low] = rootOf([add(t, t), constant(0)]);
  const P = horner(t, [
    "-0x1.555554p-4",
    "0x1.333238p-6",
    "-0x1.6d7e4cp-8",
    "0x1.ec0968p-10",
    "-0x1.485b4ap-11",
    "0x1.2eec84p-13",
  ]);
  const near = add(root, add(mul(mul(root, t), P), low));
  return select(lt(x, 1.5), near, select(lt(x, Infinity), logOfSum(x, -1), x));
}

/** The number whose hyperbolic tangent is x. At most 0.9 ULP. ±∞ at ±1, NaN beyond. From ½ on, half of ln((1 + a) ÷ (1 − a)). */
export function atanh(x: Expr): Expr {
  const a = abs(x);
  const z = mul(x, x);
  const P = horner(z, [
    "0x1.555558p-2",
    "0x1.9997c6p-3",
    "0x1.24caf8p-3",
    "0x1.c07d8cp-4",
    "0x1.a92bccp-4",
    "0x1.65b68p-6",
    "0x1.6e59d4p-3",
  ]);
  const [sum, low] = sumOf(a, 1);
  const below = sub(1, a);
  const quotient = div(sum, below);
  const rest = div(remainderOf(quotient, sum, below, undefined, low), quotient);
  const log = mul(0.5, logSum(logParts(quotient), rest));
  const large = select(lt(a, 1), log, div(a, below));
  const beyond = select(gt(a, 1), constant(Number.NaN), select(lt(x, 0), neg(large), large));
  const value = select(lt(a, 0.5), add(x, mul(mul(x, z), P)), beyond);
  return select(lt(a, hex("0x1p-12")), x, value);
}
