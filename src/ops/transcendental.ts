// Elementary functions beside those of elementwise.ts, each with its gradient. Error bounds and sources: kernels/math, docs/elementary.md.
import * as math from "../../kernels/math/index.ts";
import { equal } from "./compare.ts";
import { defineBinary, defineFloat, floatOnly } from "./define.ts";
import { add, div, exp, mul, neg, sqrt, sub, where } from "./elementwise.ts";

/** Farther out too, where results over- and underflow. */
const far = [1e-5, 2, -2, 88, -88, 129, -150];

/** 2ˣ, exact for integers; gradient g·(y·ln 2). x: [...] float32 → the same. @torch torch.exp2 */
export const exp2 = defineFloat("exp2", math.exp2, {
  vjp: ({ output, grad }) => [mul(grad, mul(output, Math.LN2))],
  samples: { beside: far },
});

/** log₂ x, exact for powers of two; gradient g ÷ (x·ln 2). x: [...] float32 → the same. @torch torch.log2 */
export const log2 = defineFloat("log2", math.log2, {
  vjp: ({ inputs: [x], grad }) => [div(grad, mul(x, Math.LN2))],
  samples: { range: [0.1, 8], beside: far },
});

/** log₁₀ x; gradient g ÷ (x·ln 10). x: [...] float32 → the same. @torch torch.log10 */
export const log10 = defineFloat("log10", math.log10, {
  vjp: ({ inputs: [x], grad }) => [div(grad, mul(x, Math.LN10))],
  samples: { range: [0.1, 8], beside: far },
});

/** tan x, x in radians; gradient g·(1 + y²). x: [...] float32 → the same. Error bound: kernels/math. @torch torch.tan */
export const tan = defineFloat("tan", math.tan, {
  vjp: ({ output, grad }) => [mul(grad, add(1, mul(output, output)))],
  samples: { range: [-1, 1], beside: [...far, 1.5707964, 100, 12000] },
});

/** The angle in [−π/2, π/2] whose sine is x, NaN beyond ±1; gradient g ÷ √(1 − x²). x: [...] float32 → the same. @torch torch.asin */
export const asin = defineFloat("asin", math.asin, {
  vjp: ({ inputs: [x], grad }) => [div(grad, sqrt(mul(sub(1, x), add(1, x))))],
  samples: { range: [-0.8, 0.8], beside: far },
});

/** The angle in [0, π] whose cosine is x, NaN beyond ±1; gradient −g ÷ √(1 − x²). x: [...] float32 → the same. @torch torch.acos */
export const acos = defineFloat("acos", math.acos, {
  vjp: ({ inputs: [x], grad }) => [neg(div(grad, sqrt(mul(sub(1, x), add(1, x)))))],
  samples: { range: [-0.8, 0.8], beside: far },
});

/** The angle in [−π/2, π/2] whose tangent is x; gradient g ÷ (1 + x²). x: [...] float32 → the same. @torch torch.atan */
export const atan = defineFloat("atan", math.atan, {
  vjp: ({ inputs: [x], grad }) => [div(grad, add(1, mul(x, x)))],
  samples: { beside: [...far, 0.6, 1.7] },
});

/** Hyperbolic sine; gradient g·cosh x. x: [...] float32 → the same. @torch torch.sinh */
export const sinh = defineFloat("sinh", math.sinh, {
  vjp: ({ inputs: [x], grad }) => [mul(grad, cosh(x))],
  samples: { range: [-3, 3], beside: [...far, 89.5] },
});

/** Hyperbolic cosine; gradient g·sinh x. x: [...] float32 → the same. @torch torch.cosh */
export const cosh = defineFloat("cosh", math.cosh, {
  vjp: ({ inputs: [x], grad }) => [mul(grad, sinh(x))],
  samples: { range: [-3, 3], beside: [...far, 89.5] },
});

/** The number whose hyperbolic sine is x; gradient g ÷ √(x² + 1). x: [...] float32 → the same. @torch torch.asinh */
export const asinh = defineFloat("asinh", math.asinh, {
  vjp: ({ inputs: [x], grad }) => [div(grad, hypot(x, 1))],
  samples: { beside: [...far, 4097] },
});

/** The number ≥ 0 whose hyperbolic cosine is x, NaN below 1; gradient g ÷ √(x² − 1). x: [...] float32 → the same. @torch torch.acosh */
export const acosh = defineFloat("acosh", math.acosh, {
  vjp: ({ inputs: [x], grad }) => [div(grad, sqrt(mul(sub(x, 1), add(x, 1))))],
  samples: { range: [1.1, 4], beside: [...far, 1.5, 4097] },
});

/** The number whose hyperbolic tangent is x: ±∞ at ±1, NaN beyond; gradient g ÷ (1 − x²). x: [...] float32 → the same. @torch torch.atanh */
export const atanh = defineFloat("atanh", math.atanh, {
  vjp: ({ inputs: [x], grad }) => [div(grad, mul(sub(1, x), add(1, x)))],
  samples: { range: [-0.8, 0.8], beside: [...far, 0.99999994] },
});

/** 1 − erf x, without what is lost where x > 0; gradient −g·2 ÷ √π·e^(−x²). x: [...] float32 → the same. @torch torch.erfc */
export const erfc = defineFloat("erfc", math.erfc, {
  vjp: ({ inputs: [x], grad }) => [mul(grad, mul(exp(neg(mul(x, x))), -1.1283791670955126))],
  samples: { range: [-3, 3], beside: [...far, 0.8, -0.8, 9.3, 10.1] },
});

/**
 * The angle in [−π, π] of the point (x, y) from the positive x axis: the signs of y and x choose the quadrant, those of zeros and infinities too, as in C. y, x: float32
 * of shapes that broadcast. Gradients x ÷ r² and −y ÷ r², taken as two divisions by r = √(x² + y²), so that they have values where PyTorch's r² leaves float32's
 * range; 0 at the origin.
 * @torch torch.atan2
 */
export const atan2 = defineBinary("atan2", floatOnly, ([y, x]) => math.atan2(y, x), {
  vjp: ({ inputs: [y, x], grad }) => {
    const length = hypot(y, x);
    const r = where(equal(length, 0), 1, length);
    return [div(mul(grad, div(x, r)), r), neg(div(mul(grad, div(y, r)), r))];
  },
  samples: { range: [0.5, 4], beside: far },
});

/** √(a² + b²), whose squares neither overflow nor underflow; gradients a ÷ √(a² + b²) and b ÷ √(a² + b²), NaN at (0, 0) as in PyTorch. a, b: float32 of shapes that broadcast. @torch torch.hypot */
export const hypot = defineBinary("hypot", floatOnly, ([a, b]) => math.hypot(a, b), {
  vjp: ({ inputs: [a, b], output, grad }) => [mul(grad, div(a, output)), mul(grad, div(b, output))],
  samples: { range: [0.5, 4], beside: far },
});
