// Powers without logarithms, rounding, division with rounding, bounds, and questions about floats. Gradient formulas are part of the meaning, as in elementwise.ts.
import { ConfigError, refuse } from "../core/errors.ts";
import type { Node } from "../graph/node.ts";
import { operand, options, real, takes, tensor } from "./arguments.ts";
import { equal, greater, less } from "./compare.ts";
import { defineBinary, defineFloat, defineUnary, floatOnly, giving, type NodeLike, numbers } from "./define.ts";
import { add, div, mul, neg, sub, where } from "./elementwise.ts";
import type { ElementwiseRecord } from "./record.ts";

/** x·x. x: [...] float32, int32 or uint32 (these wrap) → the same. @torch torch.square */
export const square = defineUnary("square", numbers, ([x], { e }) => e.mul(x, x), {
  vjp: ({ inputs: [x], grad }) => [mul(grad, mul(x, 2))],
});

/** 1 ÷ x. x: [...] float32 → the same; gradient −g·y². @torch torch.reciprocal */
export const reciprocal = defineUnary("reciprocal", floatOnly, ([x], { e }) => e.div(1, x), {
  vjp: ({ output, grad }) => [neg(mul(grad, mul(output, output)))],
  samples: { range: [0.5, 4] },
});

/** 1 ÷ √x; gradient −½·g·y ÷ x. x: [...] float32 → the same. Error bound and source: kernels/math. @torch torch.rsqrt */
export const rsqrt = defineFloat("rsqrt", (x, { math }) => math.rsqrt(x), {
  vjp: ({ inputs: [x], output, grad }) => [div(mul(mul(grad, -0.5), output), x)],
  samples: { range: [0.3, 4], beside: [-1e30, 1e-30, 1e30] },
});

/** ⌈x⌉, the least integer that isn't below x. x: [...] float32 → the same. Its gradient is 0. @torch torch.ceil */
export const ceil = defineFloat("ceil", (x, { math }) => math.ceil(x), { vjp: "none" });

/** The nearest integer, ties to even, as in PyTorch and NumPy (not as JavaScript's Math.round). x: [...] float32 → the same. Its gradient is 0. @torch torch.round */
export const round = defineFloat("round", (x, { math }) => math.round(x), {
  vjp: "none",
  samples: { beside: [1.5, -2.5, 8388607.5, 4194303.5, -8388609] },
});

/** x without its fraction, towards zero. x: [...] float32 → the same. Its gradient is 0. @torch torch.trunc */
export const trunc = defineFloat("trunc", (x, { math }) => math.trunc(x), { vjp: "none" });

const quotient: ElementwiseRecord["value"] = ([a, b], { e, math }) =>
  a.type === "float32" ? e.floor(e.div(a, b)) : math.floorDivide(a, b);

/**
 * ⌊a ÷ b⌋. float32: the quotient is rounded before. Integers: exact; ÷ 0 is 0, as in NumPy, and −2³¹ ÷ −1 wraps. [...] float32, int32 or uint32 → the
 * same. Its gradient is 0.
 * @torch torch.floor_divide
 */
export const floorDivide = defineBinary("floorDivide", numbers, quotient, {
  vjp: "none",
  samples: { range: [0.5, 4] },
});

/**
 * a − b·⌊a ÷ b⌋, with the sign of b. float32: as written, each operation rounded, where PyTorch's is exact. Integers: exact, and a where b is
 * 0. [...] float32, int32 or uint32 → the same.
 * @torch torch.remainder
 */
export function remainder(a: NodeLike, b: NodeLike): Node {
  return sub(a, mul(b, floorDivide(a, b)));
}

const question = (name: string, value: ElementwiseRecord["value"]) =>
  defineUnary(name, giving("bool", "float32"), value, { vjp: "none" });

/** Whether each element is NaN. x: [...] float32 → [...] bool. @torch torch.isnan */
// biome-ignore lint/suspicious/noShadowRestrictedNames: what NumPy and PyTorch call it
export const isNaN = question("isNaN", ([x], { e }) => e.ne(x, x));
/** Whether each element is neither infinite nor NaN. x: [...] float32 → [...] bool. @torch torch.isfinite */
// biome-ignore lint/suspicious/noShadowRestrictedNames: what NumPy and PyTorch call it
export const isFinite = question("isFinite", ([x], { e }) => e.lt(e.abs(x), Infinity));
/** Whether each element is ∞ or −∞. x: [...] float32 → [...] bool. @torch torch.isinf */
export const isInf = question("isInf", ([x], { e }) => e.eq(e.abs(x), Infinity));

/**
 * Each element held between two bounds: x where min ≤ x ≤ max, NaN as it is. x: [...] float32, int32 or uint32; bounds are numbers, or tensors of x's dtype that broadcast.
 * The gradient passes at the bounds and between them. One bound alone is `maximum` or `minimum`. Throws ConfigError for numbers with min > max.
 * @torch torch.clamp
 */
export function clamp(x: Node, min: NodeLike, max: NodeLike): Node {
  if (typeof min === "number" && typeof max === "number" && !(min <= max))
    refuse(ConfigError, "clamp", "no such range", `${min} and ${max}`, "min ≤ max");
  const raised = where(less(x, min), min, x);
  return where(greater(raised, max), max, raised);
}

/** What stands for numbers that aren't finite. */
export interface NanToNumOptions {
  /** For NaN; 0 unless given. */
  readonly nan?: number;
  /** For ∞; the largest float32 unless given. */
  readonly posinf?: number;
  /** For −∞; the lowest float32 unless given. */
  readonly neginf?: number;
}

/** Numbers in the places of NaN and ±∞. x: [...] float32 → the same. No gradient flows where one was replaced. @torch torch.nan_to_num */
export function nanToNum(x: Node, options: NanToNumOptions = {}): Node {
  const largest = (2 - 2 ** -23) * 2 ** 127;
  const { nan = 0, posinf = largest, neginf = -largest } = options;
  return where(isNaN(x), nan, where(equal(x, Infinity), posinf, where(equal(x, -Infinity), neginf, x)));
}

/** a + weight·(b − a). All float32, of shapes that broadcast. @torch torch.lerp */
export function lerp(a: Node, b: NodeLike, weight: NodeLike): Node {
  return add(a, mul(weight, sub(b, a)));
}

takes({ clamp }, { x: tensor, min: operand, max: operand }, "one bound alone is maximum(x, min) or minimum(x, max)");
const instead = options<NanToNumOptions>({ "nan?": real, "posinf?": real, "neginf?": real });
takes({ nanToNum }, { x: tensor, "options?": instead });
takes({ remainder }, { a: operand, b: operand });
takes({ lerp }, { a: tensor, b: operand, weight: operand });
