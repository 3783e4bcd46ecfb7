// The engine's own elementary functions: one fixed float32 sequence each, as scalar expressions that every backend renders. Coefficients are
// minimax fits, rounded; each bound stated holds over every one of the 2³² inputs unless it names others (docs/elementary.md, npm run test:elementary). The bits are settled: a change to
// a sequence here changes every published digest, and is made together with the goldens and the presets' digests, with its reason.
import { type Expr, ge, le, ne, or, select } from "../expr.ts";

export { acos, asin, atan, atan2 } from "./arcs.ts";
export { erf, erfc } from "./erf.ts";
export { exp } from "./exp.ts";
export { exp2 } from "./exp2.ts";
export { expm1 } from "./expm1.ts";
export { gelu, geluTanh } from "./gelu.ts";
export { acosh, asinh, atanh, cosh, sinh } from "./hyperbolic.ts";
export { log } from "./log.ts";
export { log1p } from "./log1p.ts";
export { log2, log10 } from "./logs.ts";
export { pow } from "./power.ts";
export { hypot, rsqrt } from "./root.ts";
export { sigmoid } from "./sigmoid.ts";
export { silu } from "./silu.ts";
export { softplus } from "./softplus.ts";
export { tanh } from "./tanh.ts";
export { cos, sin, tan } from "./trig.ts";

/** (a ≥ b or a ≠ a) ? a : b: NaN in a wins, and so does a at ±0. */
export const maximum = (a: Expr, b: Expr): Expr => select(or(ge(a, b), ne(a, a)), a, b);

/** (a ≤ b or a ≠ a) ? a : b. */
export const minimum = (a: Expr, b: Expr): Expr => select(or(le(a, b), ne(a, a)), a, b);
