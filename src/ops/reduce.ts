// Reductions over axes, in the written orders of NUMERICS.md: the last axes in lanes, any other set in chunks.
import { boolean, either, isRecord, type Kind, options as optionsOf } from "../core/arguments.ts";
import type { DType } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxes, type Shape, sizeOf } from "../core/shape.ts";
import { Node } from "../graph/node.ts";
import { axes as axesKind, takes, tensor } from "./arguments.ts";
import { equal, logicalOr, notEqual } from "./compare.ts";
import { coordinate } from "./creation.ts";
import { broadcastTo, defineOp, makeNode, nextAxes, numeric } from "./define.ts";
import { add, cast, div, mul, sub, where } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import type { ReduceRecord, Vjp, VjpContext } from "./record.ts";

/** Which axes, and whether they stay with extent 1. */
export interface ReduceOptions {
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
}

/** What is reduced: an axis, several, or options; all axes if left out. */
export type Over = number | readonly number[] | ReduceOptions;

const isAxes = (over: Over): over is number | readonly number[] => typeof over === "number" || Array.isArray(over);
const optionsFor = (over: Over): ReduceOptions => (isAxes(over) ? { axis: over } : over);

const axesOf = (attributes: VjpContext["attributes"]) => attributes.axes as readonly number[];
const keptShape = (shape: Shape, axes: readonly number[]) =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));

const index = (inputs: readonly DType[], attributes: VjpContext["attributes"], where: string): DType => {
  numeric(inputs, attributes, where);
  return "int32";
};

defineOp({
  name: "sum",
  kind: "reduce",
  version: 1,
  combine: "sum",
  batch: nextAxes,
  dtype: ([dtype], _, where) => {
    if (dtype === "uint32")
      throw new DTypeError({
        where,
        problem: "raw words don't add up",
        got: dtype,
        expected: "float32, int32 or bool",
      });
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
  const kept = keptShape(x.shape, axes);
  const first = reshape(makeNode("argmax", [x], output.shape, { axes }), kept);
  const place = axes
    .map((axis) => coordinate(x.shape, axis))
    .reduce((index, at, i) => add(mul(index, x.shape[axes[i]]), at));
  return [where(equal(place, broadcastTo(first, x.shape)), broadcastTo(reshape(grad, kept), x.shape), 0)];
};

const extreme = (name: string, combine: ReduceRecord["combine"], vjp: Vjp) =>
  defineOp({ name, kind: "reduce", version: 1, combine, batch: nextAxes, dtype: numeric, vjp });
extreme("max", "max", extremeVjp);
extreme("min", "min", extremeVjp);
extreme("firstMax", "max", firstVjp);
defineOp({ name: "argmax", kind: "reduce", version: 1, combine: "argmax", batch: nextAxes, dtype: index, vjp: "none" });
defineOp({ name: "argmin", kind: "reduce", version: 1, combine: "argmin", batch: nextAxes, dtype: index, vjp: "none" });

function reduce(
  op: string,
  x: Node,
  over: Over,
  { emptyIs, where: place = op }: { emptyIs: "zero" | "error"; where?: string },
): Node {
  const { axis, keepDims = false } = optionsFor(over);
  const axes = normalizeAxes(place, axis, x.shape.length);
  const size = sizeOf(axes.map((i) => x.shape[i]));
  if (size === 0 && emptyIs === "error") {
    throw new ShapeError({
      where: place,
      problem: "nothing to reduce",
      got: `${formatShape(x.shape)} over [${axes}]`,
      expected: "at least one element",
    });
  }
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  const out = makeNode(op, [x], shape, { axes });
  return keepDims ? reshape(out, keptShape(x.shape, axes)) : out;
}

/** Sum over axes (all if left out); empty: +0; of bool: int32. */
export function sum(x: Node, over: Over = {}): Node {
  return reduce("sum", x, over, { emptyIs: "zero" });
}

/** Sum ÷ count, one division; float32. Throws ShapeError when empty. */
export function mean(x: Node, over: Over = {}): Node {
  if (x.dtype !== "float32")
    throw new DTypeError({
      where: "mean",
      problem: "dtypes don't fit",
      got: x.dtype,
      expected: "float32",
      hint: 'cast first, as in x.cast("float32")',
    });
  const count = sizeOf(normalizeAxes("mean", optionsFor(over).axis, x.shape.length).map((i) => x.shape[i]));
  return div(reduce("sum", x, over, { emptyIs: "error", where: "mean" }), count);
}

/** Largest over axes; NaN wins. Ties share the gradient equally, and so do NaNs. Throws ShapeError when empty. */
export function max(x: Node, over: Over = {}): Node {
  return reduce("max", x, over, { emptyIs: "error" });
}

/** As `max`, with another gradient: all of it to the first of the largest, in row-major order; to the first NaN where there is one. Throws ShapeError when empty. */
export function firstMax(x: Node, over: Over = {}): Node {
  return reduce("firstMax", x, over, { emptyIs: "error" });
}

/** Smallest over axes; NaN wins. Ties share the gradient equally, and so do NaNs. Throws ShapeError when empty. */
export function min(x: Node, over: Over = {}): Node {
  return reduce("min", x, over, { emptyIs: "error" });
}

/** Row-major index of the largest over axes, int32; NaN wins, ties to the lowest. Throws ShapeError when empty. */
export function argmax(x: Node, over: Over = {}): Node {
  return reduce("argmax", x, over, { emptyIs: "error" });
}

/** Row-major index of the smallest over axes, int32; NaN wins, ties to the lowest. Throws ShapeError when empty. */
export function argmin(x: Node, over: Over = {}): Node {
  return reduce("argmin", x, over, { emptyIs: "error" });
}

/** Mean of squared deviations from the mean over axes, two passes; the count is n. float32. */
export function variance(x: Node, over: Over = {}): Node {
  const centred = sub(x, mean(x, { axis: optionsFor(over).axis, keepDims: true }));
  return mean(mul(centred, centred), over);
}

const instead: Readonly<Record<string, string>> = { max: "maximum", min: "minimum", sum: "add" };
const over: Kind = either(axesKind, optionsOf<ReduceOptions>({ "axis?": axesKind, "keepDims?": boolean }));
const overKind: Kind = {
  ...over,
  expected: "an axis, a list of axes, or { axis, keepDims }",
  explain: (where, value) =>
    value instanceof Node && instead[where]
      ? `of two tensors, element by element, it is ${instead[where]}(a, b)`
      : isRecord(value)
        ? over.explain!(where, value)
        : undefined,
};
takes(
  { sum, mean, max, firstMax, min, argmax, argmin, variance },
  { x: tensor, "over?": overKind },
  "keepDims goes by name, as in x.sum({ axis: 0, keepDims: true })",
);
