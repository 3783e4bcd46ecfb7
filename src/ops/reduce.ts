// Reductions over axes, in the written orders of NUMERICS.md: the last axes in lanes, any other set in chunks.
import { refuse, ShapeError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { count, takes, tensor } from "./arguments.ts";
import { equal, greater, logicalNot, logicalOr, notEqual } from "./compare.ts";
import { coordinate } from "./creation.ts";
import { broadcastTo, checkFloat, makeNode, numbersOf, numeric, placing, sameDType } from "./define.ts";
import { add, cast, div, exp, log, mul, stopGradient, sub, where } from "./elementwise.ts";
import { finite, root } from "./guarded.ts";
import { reshape } from "./movement.ts";
import type { VjpContext } from "./record.ts";
import {
  axesOption,
  byName,
  defineReduction,
  keptShape,
  type Over,
  optionsFor,
  overKind,
  overWith,
  type ReduceOptions,
  reduce,
} from "./reduction.ts";

export type { Over, ReduceOptions };

const axesOf = (attributes: VjpContext["attributes"]) => numbersOf(attributes.axes);

const summable = sameDType("float32", "int32", "bool");

/** Sum over axes (all if left out); empty: +0; of bool: int32. @torch torch.sum */
export const sum = defineReduction({
  name: "sum",
  combine: "sum",
  empty: 0,
  dtype: (inputs, attributes, at) => {
    const dtype = summable(inputs, attributes, at);
    return dtype === "bool" ? "int32" : dtype;
  },
  vjp: ({ inputs: [x], grad, attributes }) => [
    broadcastTo(reshape(grad, keptShape(x.shape, axesOf(attributes))), x.shape),
  ],
});

/** The gradient of an extreme goes in equal parts to all elements that reach it: a NaN does, since it wins. */
const extremeVjp = ({ inputs: [x], output, grad, attributes }: VjpContext) => {
  const axes = axesOf(attributes);
  const kept = keptShape(x.shape, axes);
  const hits = logicalOr(equal(x, broadcastTo(reshape(output, kept), x.shape)), notEqual(x, x));
  const count = cast(reshape(makeNode("sum", [hits], output.shape, { axes }), kept), "float32");
  const share = div(reshape(grad, kept), count);
  return [where(hits, broadcastTo(share, x.shape), 0)];
};

/** The gradient goes to the first element in row-major order that reaches the maximum; a NaN reaches it. */
const firstVjp = ({ inputs: [x], output, grad, attributes }: VjpContext) => {
  const axes = axesOf(attributes);
  // Over no axis, or of a scalar, each element is the first by itself.
  if (axes.length === 0) return [grad];
  const kept = keptShape(x.shape, axes);
  const first = reshape(makeNode("argmax", [x], output.shape, { axes }), kept);
  const place = axes
    .map((axis) => coordinate(x.shape, axis))
    .reduce((at, along, i) => add(mul(at, x.shape[axes[i]]), along));
  return [where(equal(place, broadcastTo(first, x.shape)), broadcastTo(reshape(grad, kept), x.shape), 0)];
};

/** Largest over axes; NaN wins. Ties share the gradient equally, and so do NaNs. Throws ShapeError when empty. @torch torch.amax */
export const max = defineReduction({ dtype: numeric, name: "max", combine: "max", vjp: extremeVjp });
/** Smallest over axes; NaN wins. Ties share the gradient equally, and so do NaNs. Throws ShapeError when empty. @torch torch.amin */
export const min = defineReduction({ dtype: numeric, name: "min", combine: "min", vjp: extremeVjp });
/** As `max`, with another gradient: all of it to the first of the largest, in row-major order; to the first NaN where there is one. Throws ShapeError when empty. @torch torch.max */
export const firstMax = defineReduction({ dtype: numeric, name: "firstMax", combine: "max", vjp: firstVjp });

/** Row-major index of the largest over axes, int32; NaN wins, ties to the lowest. Throws ShapeError when empty. @torch torch.argmax */
export const argmax = defineReduction({ name: "argmax", combine: "argmax", dtype: placing, vjp: "none" });
/** Row-major index of the smallest over axes, int32; NaN wins, ties to the lowest. Throws ShapeError when empty. @torch torch.argmin */
export const argmin = defineReduction({ name: "argmin", combine: "argmin", dtype: placing, vjp: "none" });

/** Sum ÷ count, one division; float32. Throws ShapeError when empty. @torch torch.mean */
export function mean(x: Node, over: Over = {}): Node {
  checkFloat("mean", x);
  return div(reduce("sum", x, over, undefined, "mean"), countOver("mean", x, over));
}

const countOver = (at: string, x: Node, over: Over) => sizeOf(axesOption(at, x, over).map((i) => x.shape[i]));

/** Which axes, and what is taken off their number before it divides (0; `torch.var` takes off 1). */
export interface VarianceOptions extends ReduceOptions {
  readonly correction?: number;
}

/** Sum of squared deviations from the mean over axes ÷ (count − correction), two passes; float32. The correction is 0 unless given, as NumPy's. Throws ShapeError unless it is below the count. @torch torch.var */
export function variance(x: Node, over: number | readonly number[] | VarianceOptions = {}): Node {
  const { correction = 0 } = optionsFor(over) as VarianceOptions;
  const centred = sub(x, mean(x, { axis: optionsFor(over).axis, keepDims: true }));
  const squares = mul(centred, centred);
  if (correction === 0) return mean(squares, over);
  const count = countOver("variance", x, over);
  const got = `${count} elements, correction ${correction}`;
  if (!(correction < count))
    refuse(ShapeError, "variance", "nothing is left of the count", got, "a correction below their number");
  return div(sum(squares, over), count - correction);
}

/** √variance over axes; its gradient at 0 is 0, as `torch.std`'s. Otherwise as `variance`. @torch torch.std */
export function std(x: Node, over: number | readonly number[] | VarianceOptions = {}): Node {
  return root(variance(x, over));
}

/** Whether any element over axes isn't 0, as NumPy's `any`: x: any dtype → bool; empty: false. NaN isn't 0. @torch torch.any */
export function any(x: Node, over: Over = {}): Node {
  return greater(sum(isSet(x), over), 0);
}

/** Whether all elements over axes aren't 0, as NumPy's `all`: x: any dtype → bool; empty: true. NaN isn't 0. @torch torch.all */
export function all(x: Node, over: Over = {}): Node {
  return equal(sum(logicalNot(isSet(x)), over), 0);
}

const isSet = (x: Node) => (x.dtype === "bool" ? x : notEqual(x, 0));

/** log Σ e^x over axes, moved by the largest so that nothing overflows, as `torch.logsumexp`; float32. Throws ShapeError when empty. @torch torch.logsumexp */
export function logSumExp(x: Node, over: Over = {}): Node {
  checkFloat("logSumExp", x);
  const axes = axesOption("logSumExp", x, over);
  const base = finite(stopGradient(reduce("max", x, { axis: axes, keepDims: true }, undefined, "logSumExp")));
  const out = add(log(sum(exp(sub(x, base)), { axis: axes, keepDims: true })), base);
  if (optionsFor(over).keepDims) return out;
  const kept = x.shape.filter((_, i) => !axes.includes(i));
  return reshape(out, kept);
}

takes({ mean, any, all, logSumExp }, { x: tensor, "over?": overKind }, byName);
takes({ variance, std }, { x: tensor, "over?": overWith({ "correction?": count }) }, byName);
