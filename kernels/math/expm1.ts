// eˣ − 1 without what is lost near 0.
import { abs, add, type Expr, lt, mul, pow2, select, sub } from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { clamp, expParts } from "./exp.ts";

/** q with eʳ = 1 + r + r²·q(r) for |r| ≤ 0.41, of one degree more than the exponential's. */
const tailOf = (r: Expr): Expr =>
  horner(r, ["0x1p-1", "0x1.55555cp-3", "0x1.555524p-5", "0x1.1103b4p-7", "0x1.6ce418p-10", "0x1.b9a2dap-13"]);

/** eˣ − 1. At most 0.95 ULP. −1 below −17.4, ∞ from 88.73 on, ±0 at ±0. With 2ⁿ·(1 + r + tail): 2·((2ⁿ⁻¹ − ½) + 2ⁿ⁻¹·r) in two parts. */
export function expm1(x: Expr): Expr {
  const v = clamp(x, -18, 89);
  const { n, r, tail } = expParts(v, undefined, v, tailOf);
  const t = pow2(sub(n, 1));
  const [a, b] = [mul(t, r), sub(t, 0.5)];
  const sum = add(b, a);
  const rest = add(add(sub(b, sum), a), sub(sub(t, b), 0.5));
  const value = mul(add(sum, add(rest, mul(t, tail))), 2);
  return select(lt(abs(x), hex("0x1p-25")), x, value);
}
