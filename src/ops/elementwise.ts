// Elementwise arithmetic and functions: what one element becomes, and its gradient beside it. Gradient formulas are part of the meaning:
// they fix bits, so each is written as the sequence that runs.
import type { DType } from "../core/dtype.ts";
import type { Node } from "../graph/node.ts";
import { dtype, type Kind, operand, takes, tensor } from "./arguments.ts";
import { equal, greater, less, lessEqual, logicalOr, notEqual } from "./compare.ts";
import {
  asGiven,
  attributeDType,
  broadcastOperands,
  defineBinary,
  defineFloat,
  defineOp,
  defineUnary,
  dividing,
  makeNode,
  type NodeLike,
  numbers,
  numeric,
  refuseDTypes,
} from "./define.ts";
import type { ElementwiseRecord } from "./record.ts";

/** a + b, elementwise. @torch torch.add */
export const add = defineBinary("add", numbers, ([a, b], { e }) => e.add(a, b), {
  vjp: ({ grad }) => [grad, grad],
});

/** a − b, elementwise. @torch torch.sub */
export const sub = defineBinary("sub", numbers, ([a, b], { e }) => e.sub(a, b), {
  vjp: ({ grad }) => [grad, neg(grad)],
});

/** a · b, elementwise. @torch torch.mul */
export const mul = defineBinary("mul", numbers, ([a, b], { e }) => e.mul(a, b), {
  vjp: ({ inputs: [a, b], grad }) => [mul(grad, b), mul(grad, a)],
});

/** a ÷ b, elementwise; float32 only. @torch torch.div */
export const div = defineBinary("div", dividing, ([a, b], { e }) => e.div(a, b), {
  vjp: ({ inputs: [, b], output, grad }) => [div(grad, b), neg(div(mul(grad, output), b))],
  samples: { range: [0.5, 4] },
});

/** −x: flips the sign bit (wraps on int32). @torch torch.neg */
export const neg = defineUnary("neg", numeric, ([x], { e }) => e.neg(x), {
  vjp: ({ grad }) => [neg(grad)],
});

/** |x|; the gradient at 0 is 0. @torch torch.abs */
export const abs = defineUnary("abs", numeric, ([x], { e }) => e.abs(x), {
  vjp: ({ inputs: [x], grad }) => [where(less(x, 0), neg(grad), where(greater(x, 0), grad, 0))],
});

/** 1 where x > 0, −1 where x < 0, else x: ±0 and NaN stay. Its gradient is 0. @torch torch.sign */
export const sign = defineUnary("sign", numeric, ([x], { e }) => e.select(e.gt(x, 0), 1, e.select(e.lt(x, 0), -1, x)), {
  vjp: "none",
});

/** √x, correctly rounded. @torch torch.sqrt */
export const sqrt = defineFloat("sqrt", (x, { e }) => e.sqrt(x), {
  vjp: ({ output, grad }) => [div(mul(grad, 0.5), output)],
  samples: { range: [0.1, 4] },
});

/** ⌊x⌋; its gradient is 0. @torch torch.floor */
export const floor = defineFloat("floor", (x, { e }) => e.floor(x), { vjp: "none" });

/** eˣ. Error bound and source: kernels/math. @torch torch.exp */
export const exp = defineFloat("exp", (x, { math }) => math.exp(x), {
  vjp: ({ output, grad }) => [mul(grad, output)],
  samples: { beside: [88, 89, -88, -104, 104] },
});

/** eˣ − 1, exact near 0; gradient g·eˣ. x: [...] float32 → the same. Error bound and source: kernels/math. @torch torch.expm1 */
export const expm1 = defineFloat("expm1", (x, { math }) => math.expm1(x), {
  vjp: ({ inputs: [x], grad }) => [mul(grad, exp(x))],
  samples: { beside: [1e-8, -1e-5, -18, 88, 89] },
});

/** Natural logarithm. Error bound and source: kernels/math. @torch torch.log */
export const log = defineFloat("log", (x, { math }) => math.log(x), {
  vjp: ({ inputs: [x], grad }) => [div(grad, x)],
  samples: { range: [0.1, 8] },
});

/** ln(1 + x), exact near 0; gradient g ÷ (1 + x). x: [...] float32 → the same. Error bound and source: kernels/math. @torch torch.log1p */
export const log1p = defineFloat("log1p", (x, { math }) => math.log1p(x), {
  vjp: ({ inputs: [x], grad }) => [div(grad, add(x, 1))],
  samples: { range: [-0.7, 8], beside: [1e-8, -1e-5, -0.9999999, -1.5] },
});

/** Hyperbolic tangent; gradient g·(1 − y²). @torch torch.tanh */
export const tanh = defineFloat("tanh", (x, { math }) => math.tanh(x), {
  vjp: ({ output, grad }) => [mul(grad, sub(1, mul(output, output)))],
  samples: { range: [-3, 3], beside: [9, -9, 1e-5] },
});

/** 1 ÷ (1 + e⁻ˣ); gradient g·(y·(1 − y)). @torch torch.sigmoid */
export const sigmoid = defineFloat("sigmoid", (x, { math }) => math.sigmoid(x), {
  vjp: ({ output, grad }) => [mul(grad, mul(output, sub(1, output)))],
  samples: { beside: [-88, -104, 17] },
});

/** ln(1 + eˣ); gradient g·σ(x). Error bound and source: kernels/math. @torch torch.nn.functional.softplus */
export const softplus = defineFloat("softplus", (x, { math }) => math.softplus(x), {
  vjp: ({ inputs: [x], grad }) => [mul(grad, sigmoid(x))],
  samples: { range: [-6, 6], beside: [-20, -17, -88, -104, 20] },
});

/** sin x, x in radians. Error bound: kernels/math. @torch torch.sin */
export const sin = defineFloat("sin", (x, { math }) => math.sin(x), {
  vjp: ({ inputs: [x], grad }) => [mul(grad, cos(x))],
  samples: { range: [-6, 6], beside: [100, 12000] },
});

/** cos x, x in radians. Error bound: kernels/math. @torch torch.cos */
export const cos = defineFloat("cos", (x, { math }) => math.cos(x), {
  vjp: ({ inputs: [x], grad }) => [neg(mul(grad, sin(x)))],
  samples: { range: [-6, 6], beside: [100, 12000] },
});

/** The error function; gradient g·(2/√π·e^(−x²)). @torch torch.erf */
export const erf = defineFloat("erf", (x, { math }) => math.erf(x), {
  vjp: ({ inputs: [x], grad }) => [mul(grad, mul(exp(neg(mul(x, x))), 1.1283791670955126))],
  samples: { range: [-3, 3], beside: [4, -4] },
});

/** x < 0 ? 0 : x, so NaN and −0 stay; the gradient is 0 where x ≤ 0, and passes where x is NaN, as the value does. @torch torch.nn.functional.relu */
export const relu = defineUnary("relu", numeric, ([x], { e }) => e.select(e.lt(x, 0), 0, x), {
  vjp: ({ inputs: [x], grad }) => [where(lessEqual(x, 0), 0, grad)],
});

const half = (grad: Node) => mul(grad, 0.5);

const extreme = (name: "maximum" | "minimum", beats: typeof less) =>
  defineBinary(name, numbers, ([a, b], { math }) => math[name](a, b), {
    vjp: ({ inputs: [a, b], grad }) => {
      const tie = equal(a, b);
      const first = logicalOr(beats(a, b), notEqual(a, a));
      return [where(tie, half(grad), where(first, grad, 0)), where(tie, half(grad), where(first, 0, grad))];
    },
  });

/** The larger: a where a ≥ b or a is NaN, else b. At a tie each side gets half the gradient. @torch torch.maximum */
export const maximum = extreme("maximum", greater);
/** The smaller: a where a ≤ b or a is NaN, else b. At a tie each side gets half the gradient. @torch torch.minimum */
export const minimum = extreme("minimum", less);

defineOp({
  name: "where",
  kind: "elementwise",
  inputs: 3,
  dtype: ([condition, a, b], _, where) => {
    if (condition !== "bool" || a !== b) {
      const hint = condition === "bool" ? undefined : "compare first, as in where(greater(x, 0), a, b)";
      refuseDTypes(where, [condition, a, b], "a bool condition and two operands of one dtype", hint);
    }
    return a;
  },
  value: ([condition, a, b], { e }) => e.select(condition, a, b),
  vjp: ({ inputs: [condition], grad }) => [null, where(condition, grad, 0), where(condition, 0, grad)],
});

const castTo: ElementwiseRecord["value"] = ([x], { e, math }, { dtype }) => {
  if (dtype === x.type) return x;
  if (dtype === "bool") return e.ne(x, 0);
  if (dtype === "uint32") return math.toWord(x);
  return dtype === "float32" ? e.toFloat32(x) : e.toInt32(x);
};
defineUnary("cast", attributeDType, castTo, {
  vjp: ({ inputs: [x], grad }) => [x.dtype === "float32" ? cast(grad, "float32") : null],
});

defineUnary("stopGradient", asGiven, ([x]) => x, { vjp: "none" });

/** `a` where the condition holds, else `b`; all three broadcast. A number takes the other operand's dtype, two are float32. @torch torch.where */
export function where(condition: Node, a: NodeLike, b: NodeLike): Node {
  const [x, y] = broadcastOperands("where", [a, b]);
  const nodes = broadcastOperands("where", [condition, x, y]);
  return makeNode("where", nodes, nodes[0].shape);
}

/** The elements in another dtype: float → integer truncates and saturates, NaN → 0; int32 and uint32 keep their bits, and so wrap; to bool: ≠ 0. @torch torch.Tensor.to */
export function cast(x: Node, dtype: DType): Node {
  return x.dtype === dtype ? x : makeNode("cast", [x], x.shape, { dtype });
}

/** The same values; no gradient flows back through it. @torch torch.Tensor.detach */
export function stopGradient(x: Node): Node {
  return makeNode("stopGradient", [x], x.shape);
}

const chosen: Kind = {
  ...operand,
  explain: (at, value) =>
    value === undefined
      ? "where a mask holds, outside a compiled function: await mask.nonzero()"
      : operand.explain!(at, value),
};
takes({ where }, { condition: tensor, a: chosen, b: operand });
takes({ cast }, { x: tensor, dtype });
takes({ stopGradient }, { x: tensor });
