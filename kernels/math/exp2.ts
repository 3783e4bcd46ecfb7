// Powers of two.
import { add, type Expr, mul, sub } from "../expr.ts";
import { hex, horner } from "./constants.ts";
import { clamp, nearest, scale, shift } from "./exp.ts";
import { twelveBits } from "./parts.ts";

/** 2ᶠ⁺ˡᵒʷ for |f| ≤ 0.6 as 1 + a first term of few bits and the rest: in two parts, to be added and scaled by the caller. */
export function exp2Parts(f: Expr, low?: Expr): { head: Expr; rest: Expr } {
  const high = twelveBits(f);
  const small = low ? add(sub(f, high), low) : sub(f, high);
  const q = horner(f, ["0x1.ebfbf2p-3", "0x1.c6affp-5", "0x1.3b16acp-7", "0x1.5e9c12p-10", "0x1.571902p-13"]);
  // ln 2 in two parts: high · its first is exact.
  const [first, second] = [hex("0x1.62ep-1"), hex("0x1.0cp-15")];
  const y = mul(high, first);
  const head = add(1, y);
  const lost = add(sub(1, head), y);
  return { head, rest: add(lost, add(mul(small, first), mul(f, add(second, mul(f, q))))) };
}

/** 2ˣ. At most 0.91 ULP. ∞ from 128 on, 0 from −150 down; exact for integers. */
export function exp2(x: Expr): Expr {
  const v = clamp(x, -151, 129);
  const n = nearest(sub(v, shift));
  const { head, rest } = exp2Parts(sub(v, n));
  return scale(add(head, rest), n);
}
