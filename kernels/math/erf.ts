// The error function.
import { abs, add, type Expr, gt, lt, mul, neg, pow2, select, sub } from "../expr.ts";
import { hex, horner, ln2High, ln2Low, log2e } from "./constants.ts";
import { expTail, nearest, shift } from "./exp.ts";

/** erf x. At most 0.87 ULP. A polynomial below 0.8; beyond it 1 − e^(−L(a)), L by a polynomial about 1 whose first term has few bits. */
export function erf(x: Expr): Expr {
  const a = abs(x);
  const bounded = select(gt(a, 3.95), 3.95, a);
  const u = horner(sub(bounded, 1), [
    "-0x1.02774p-18",
    "0x1.51c9aep+1",
    "0x1.afab86p-1",
    "0x1.54854ep-5",
    "-0x1.4836a2p-7",
    "0x1.f7914cp-10",
    "-0x1.b8052cp-13",
  ]);
  const head = hex("0x1.d98p+0");
  const n = nearest(sub(mul(add(head, u), -log2e), shift));
  const r = sub(sub(-head, mul(n, ln2High)), add(u, mul(n, ln2Low)));
  const y = add(r, mul(mul(r, r), expTail(r)));
  const t = pow2(n);
  const large = sub(sub(1, t), mul(t, y));
  const z = mul(x, x);
  const P = horner(z, [
    "0x1.06eba8p-3",
    "-0x1.81273ep-2",
    "0x1.ce2cf2p-4",
    "-0x1.b7f88cp-6",
    "0x1.540172p-8",
    "-0x1.a3d812p-11",
    "0x1.4917a4p-14",
  ]);
  const small = add(x, mul(x, P));
  return select(lt(a, 0.8), small, select(lt(x, 0), neg(large), large));
}
