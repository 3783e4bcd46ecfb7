// Rounding to the numbers of a 16-bit float format as a float32 sequence, for backends that don't see a float's bits. Adding and taking away a power of two M whose last place is the
// format's at x rounds to nearest even there: each of the two operations is exact but for that one rounding.

import {
  abs,
  add,
  type Expr,
  eq,
  exponent,
  ge,
  gt,
  lt,
  mul,
  neg,
  pow2,
  rewrite,
  select,
  sub,
} from "../../../kernels/expr.ts";
import type { NarrowFormat } from "../../core/dtype.ts";

/** |x| rounded where `base`, normal, has the exponent of the format's last place: `bits` significant ones. */
function roundAt(y: Expr, base: Expr, bits: number): Expr {
  const magic = pow2(add(exponent(base), 24 - bits));
  return sub(add(y, magic), magic);
}

function bfloat16(y: Expr): Expr {
  // Large ones by 2⁻³², so that M stays in range; a result beyond the format's overflows on the way back.
  const large = ge(y, 2 ** 100);
  const scaled = select(large, mul(y, 2 ** -32), y);
  const rounded = roundAt(scaled, select(lt(scaled, 2 ** -126), 2 ** -126, scaled), 8);
  return select(large, mul(rounded, 2 ** 32), rounded);
}

function float16(y: Expr): Expr {
  const low = select(lt(y, 2 ** -14), 2 ** -14, y);
  const rounded = roundAt(y, select(gt(low, 2 ** 17), 2 ** 17, low), 11);
  return select(ge(y, 65520), Number.POSITIVE_INFINITY, rounded);
}

/** What expr's `bfloat16` and `float16` are, as other operations. */
export function roundInSteps(x: Expr, format: NarrowFormat): Expr {
  const y = abs(x);
  const rounded = format === "float16" ? float16(y) : bfloat16(y);
  const magnitude = select(lt(y, Number.POSITIVE_INFINITY), rounded, y);
  return select(lt(x, 0), neg(magnitude), select(eq(x, 0), x, magnitude));
}

/** The expression with every rounding to a 16-bit format in steps. */
export function withRoundingInSteps(body: Expr): Expr {
  return rewrite(body, (expr) =>
    expr.kind === "unary" && (expr.op === "bfloat16" || expr.op === "float16") ? roundInSteps(expr.x, expr.op) : expr,
  );
}
