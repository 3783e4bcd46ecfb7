// The hyperbolic tangent.
import { abs, add, div, type Expr, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { expReduce } from "./exp.ts";
import { twelveBits } from "./parts.ts";

/** tanh x. At most 0.82 ULP. A polynomial below 0.57, beyond it 1 − 2 ÷ (e²ᵃ + 1) with the quotient's remainder made good. */
export function tanh(x: Expr): Expr {
  const a = abs(x);
  const bounded = select(gt(a, 9.1), 9.1, a);
  const { n, y } = expReduce(add(bounded, bounded));
  const t = pow2(n);
  const D = add(t, 1);
  const w = mul(t, y);
  const q = div(2, add(D, w));
  const high = twelveBits(q);
  const remainder = sub(sub(2, mul(high, D)), mul(high, w));
  const large = sub(sub(1, high), mul(mul(0.5, q), remainder));
  const z = mul(x, x);
  const P = horner(z, ["-0x1.555546p-2", "0x1.110bdep-3", "-0x1.b8f18p-5", "0x1.576f84p-6", "-0x1.90d46ep-8"]);
  const small = add(x, mul(mul(x, z), P));
  const value = select(lt(a, 0.57), small, select(lt(x, 0), neg(large), large));
  return select(lt(a, hex("0x1p-12")), x, value);
}
