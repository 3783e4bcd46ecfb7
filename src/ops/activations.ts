// Activations of neural networks beside those of elementwise.ts: two of their own, and composites of ops.
import * as e from "../../kernels/expr.ts";
import * as math from "../../kernels/math/index.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import type { Node } from "../graph/node.ts";
import { oneOf, operand, options, real, takes, tensor } from "./arguments.ts";
import { greater, greaterEqual, less, lessEqual } from "./compare.ts";
import { defineBinary, defineFloat, floatOnly, type NodeLike } from "./define.ts";
import { abs, add, div, erf, exp, expm1, mul, neg, sigmoid, softplus, sub, tanh, where } from "./elementwise.ts";

/** x·σ(x), the sigmoid linear unit or swish (Elfwing et al. 2017); gradient g·σ·(1 + x·(1 − σ)). x: [...] float32 → the same. −0 at −∞. Error bound: kernels/math. @torch torch.nn.functional.silu */
export const silu = defineFloat("silu", math.silu, {
  vjp: ({ inputs: [x], grad }) => {
    const s = sigmoid(x);
    return [mul(grad, mul(s, add(1, mul(x, sub(1, s)))))];
  },
  samples: { beside: [17, 101, -88, -104, -113] },
});

// x·Φ(x), gradient g·(Φ(x) + x·φ(x)), Φ by erf, φ(x) = e^(−x²/2)/√(2π).
const exactGelu = defineFloat("gelu", math.gelu, {
  vjp: ({ inputs: [x], grad }) => {
    const cdf = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(mul(x, x), -0.5)), 0.3989422804014327);
    return [mul(grad, add(cdf, mul(x, density)))];
  },
  samples: { beside: [-0.7, -14] },
});

/** Which form of `gelu`. */
export interface GeluOptions {
  /** "none", the exact form, unless given; "tanh" is GPT-2's approximation of it by the hyperbolic tangent. */
  readonly approximate?: "none" | "tanh";
}

/**
 * x·Φ(x) (Hendrycks & Gimpel 2016), Φ by erf; with `{ approximate: "tanh" }` 0.5·x·(1 + tanh(√(2 ÷ π)·(x + 0.044715·x³))). x: [...] float32 → the same.
 * Error bounds: kernels/math.
 * @torch torch.nn.functional.gelu
 */
export function gelu(x: NodeLike, options: GeluOptions = {}): Node {
  return options.approximate === "tanh" ? geluTanh(x) : exactGelu(x);
}

// `gelu` in its approximation by tanh: x·σ(v), v = 2·√(2 ÷ π)·(x + 0.044715·x³); gradient g·σ·(1 + x·(1 − σ)·v′).
const geluTanh = defineFloat("geluTanh", math.geluTanh, {
  vjp: ({ inputs: [x], grad }) => {
    // Beyond 11 the gradient is 1 and below −11 0, where x³ would overflow.
    const bounded = where(greater(abs(x), 11), where(less(x, 0), -11, 11), x);
    const square = mul(bounded, bounded);
    const s = sigmoid(mul(bounded, add(mul(square, 0.0713548162726), 1.5957691216057308)));
    const slope = add(mul(square, 0.2140644488178), 1.5957691216057308);
    return [mul(grad, mul(s, add(1, mul(mul(bounded, sub(1, s)), slope))))];
  },
  samples: { beside: [-0.7, -14] },
});

/** x where x > 0, else weight·x (He et al. 2015). x, weight: float32, of shapes that broadcast. Both have a gradient; at 0 that of x is weight·g. @torch torch.nn.functional.prelu */
export const prelu = defineBinary("prelu", floatOnly, ([x, weight]) => e.select(e.gt(x, 0), x, e.mul(weight, x)), {
  vjp: ({ inputs: [x, weight], grad }) => {
    const positive = greater(x, 0);
    return [where(positive, grad, mul(grad, weight)), where(positive, 0, mul(grad, x))];
  },
});

/** x where x > 0, else slope·x (Maas et al. 2013). x: [...] float32 → the same. @torch torch.nn.functional.leaky_relu */
export function leakyRelu(x: Node, slope = 0.01): Node {
  return prelu(x, slope);
}

/** What isn't positive, else 0: so that no exponential of the other side overflows into a gradient. */
const below = (x: Node) => where(greater(x, 0), 0, x);

/** x where x > 0, else alpha·(eˣ − 1) (Clevert et al. 2015). x: [...] float32 → the same. @torch torch.nn.functional.elu */
export function elu(x: Node, alpha = 1): Node {
  return where(greater(x, 0), x, mul(expm1(below(x)), alpha));
}

/** scale·elu(x, alpha) with the constants of self-normalising networks (Klambauer et al. 2017). x: [...] float32 → the same. @torch torch.nn.functional.selu */
export function selu(x: Node): Node {
  return mul(elu(x, 1.6732632423543772), 1.0507009873554805);
}

/** x where x > 0, else alpha·(e^(x ÷ alpha) − 1), whose slope at 0 is 1 (Barron 2017). x: [...] float32 → the same. Throws ConfigError for alpha 0. @torch torch.nn.functional.celu */
export function celu(x: Node, alpha = 1): Node {
  if (alpha === 0) refuse(ConfigError, "celu", "no such alpha", `${alpha}`, "a number that isn't 0");
  return where(greater(x, 0), x, mul(expm1(div(below(x), alpha)), alpha));
}

/** x·tanh(ln(1 + eˣ)) (Misra 2019). x: [...] float32 → the same. At most 3 ULP. @torch torch.nn.functional.mish */
export function mish(x: Node): Node {
  return mul(x, tanh(softplus(x)));
}

/** ln σ(x) = −ln(1 + e⁻ˣ). x: [...] float32 → the same. As exact as softplus. @torch torch.nn.functional.logsigmoid */
export function logSigmoid(x: Node): Node {
  return neg(softplus(neg(x)));
}

/** x held between min and max; no gradient at the bounds and beyond, where `clamp` has one at the bounds. x: [...] float32 → the same. Throws ConfigError unless min ≤ max. @torch torch.nn.functional.hardtanh */
export function hardtanh(x: Node, min = -1, max = 1): Node {
  if (!(min <= max)) refuse(ConfigError, "hardtanh", "no such range", `${min} and ${max}`, "min ≤ max");
  return where(lessEqual(x, min), min, where(greaterEqual(x, max), max, x));
}

/** x held between 0 and 6. x: [...] float32 → the same. @torch torch.nn.functional.relu6 */
export function relu6(x: Node): Node {
  return hardtanh(x, 0, 6);
}

/** relu6(x + 3) ÷ 6 (Howard et al. 2019). x: [...] float32 → the same. @torch torch.nn.functional.hardsigmoid */
export function hardSigmoid(x: Node): Node {
  return div(relu6(add(x, 3)), 6);
}

/** x·relu6(x + 3) ÷ 6 (Howard et al. 2019). x: [...] float32 → the same. @torch torch.nn.functional.hardswish */
export function hardSwish(x: Node): Node {
  return mul(x, hardSigmoid(x));
}

takes({ leakyRelu }, { x: tensor, "slope?": real });
takes({ elu, celu }, { x: tensor, "alpha?": real });
takes({ hardtanh }, { x: tensor, "min?": real, "max?": real });
takes({ selu, mish, logSigmoid, relu6, hardSigmoid, hardSwish }, { x: tensor });
takes({ gelu }, { x: operand, "options?": options<GeluOptions>({ "approximate?": oneOf(["none", "tanh"]) }) });
