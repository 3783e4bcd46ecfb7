// The exponential, and the reduction that every function built on it shares: eᵛ = 2ⁿ·(1 + y).
import { add, constant, type Expr, floor, gt, lt, mul, type Operand, pow2, select, sub } from "../expr.ts";
import { horner, ln2High, ln2Low, log2e } from "./constants.ts";

/** x between two bounds; NaN passes. */
export function clamp(x: Expr, low: number, high: number): Expr {
  const above = select(lt(x, low), low, x);
  return select(gt(above, high), high, above);
}

/** The nearest integer, ties up: for reductions, where a tie may go either way. */
export function nearest(x: Expr): Expr {
  return floor(add(x, 0.5));
}

/** Puts 1 + y where its rounding hurts least. */
export const shift = 0.085;

/** p·2ⁿ for n in [−252, 254] by two exact factors, so that overflow and subnormal results come out right. */
export function scale(p: Expr, n: Expr): Expr {
  const half = floor(mul(n, 0.5));
  return mul(mul(p, pow2(half)), pow2(sub(n, half)));
}

/** q with eʳ = 1 + r + r²·q(r) for |r| ≤ 0.41: a minimax polynomial of degree 4. */
export function expTail(r: Expr): Expr {
  return horner(r, ["0x1.000006p-1", "0x1.5554d2p-3", "0x1.55442ap-5", "0x1.11f576p-7", "0x1.7fa244p-10"]);
}

/** n and y with eᵛ = 2ⁿ·(1 + y), for v in [−104, 104]. */
export function expReduce(v: Expr): { n: Expr; y: Expr } {
  const n = nearest(sub(mul(v, log2e), shift));
  const r = sub(sub(v, mul(n, ln2High)), mul(n, ln2Low));
  return { n, y: add(r, mul(mul(r, r), expTail(r))) };
}

/** n, r and its rounding error, the tail, with v = n·ln 2 + r + c and eʳ⁺ᶜ = 1 + r + tail; `low`, where there is one, is subtracted from v, and where it isn't tiny, `rounded` is their difference. `tailOf`: q as `expTail` gives it. */
export function expParts(v: Expr, low?: Expr, rounded = v, tailOf = expTail): { n: Expr; r: Expr; tail: Expr } {
  const n = nearest(sub(mul(rounded, log2e), shift));
  const high = sub(v, mul(n, ln2High));
  const rest: Operand = low ? add(mul(n, ln2Low), low) : mul(n, ln2Low);
  const r = sub(high, rest);
  return { n, r, tail: add(mul(mul(r, r), tailOf(r)), sub(sub(high, r), rest)) };
}

/** eˣ. At most 0.93 ULP. ∞ from 88.73 on, 0 below −103.97. */
export function exp(x: Expr): Expr {
  const { n, y } = expReduce(clamp(x, -104, 89));
  return scale(add(constant(1), y), n);
}
