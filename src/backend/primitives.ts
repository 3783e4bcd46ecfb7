// What a device is tried on before it computes anything: each scalar operation alone, sequences that a compiler could contract or reassociate, and folds
// in both written orders.
import * as e from "../../kernels/expr.ts";
import type { Combine, LoopKernel } from "../../kernels/kernel.ts";
import { exp } from "../../kernels/math/exp.ts";
import { productViews } from "../../kernels/product.ts";
import { contiguousView, transposeView, type View } from "../../kernels/view.ts";
import { type DType, narrowFormats } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import { type Given, patterns, type Subject, subject } from "./trial.ts";

/** Points of an operation: every pair of patterns. */
const count = patterns.length * patterns.length;

/** One operation, or what is made of a few, at every pair of patterns. */
export function operation(name: string, types: readonly DType[], make: (...operands: e.Expr[]) => e.Expr): Subject {
  const body = make(...types.map((type, i) => e.input(i, type)));
  const view = contiguousView([count]);
  const kernel: LoopKernel = {
    kind: "loop",
    output: types.length,
    dtype: body.type,
    shape: [count],
    inputs: types.map((dtype, source) => ({ source, dtype, view })),
    body,
  };
  return subject(
    name,
    kernel,
    types.map((dtype) => ({ dtype, size: count })),
  );
}

/** A fold of what views read, each of a source of its own: of one over its axes but the first, of several over those but the first two. */
export function fold(
  name: string,
  combine: Combine,
  order: "lanes" | "chunks",
  body: e.Expr,
  views: readonly View[],
): Subject {
  const [{ shape }] = views;
  const kept = views.length === 2 ? 2 : 1;
  const kernel: LoopKernel = {
    kind: "loop",
    output: views.length,
    dtype: combine.startsWith("arg") ? "int32" : "float32",
    shape: shape.slice(0, kept),
    inputs: views.map((view, source) => ({ source, dtype: "float32", view })),
    body,
    fold: { combine, order, reduced: shape.slice(kept) },
  };
  const given: Given[] = views.map(({ shape, strides }) => ({
    dtype: "float32",
    size: sizeOf(shape.filter((_, axis) => strides[axis] !== 0)),
  }));
  return subject(name, kernel, given);
}

const [x, y, z] = [0, 1, 2].map((i) => e.input(i, "float32"));
const [rows, depth, columns] = [5, 1100, 7];

/** pow2 where it means something: of whole numbers that are floats' exponents. */
export function powerOf(x: e.Expr): e.Expr {
  const n = e.floor(x);
  return e.pow2(e.select(e.ge(n, -126), e.select(e.le(n, 127), n, 127), -126));
}

/** exponent where it means something: of normal numbers above 0. */
export function exponentOf(x: e.Expr): e.Expr {
  const size = e.abs(x);
  return e.exponent(e.select(e.and(e.ge(size, 2 ** -126), e.lt(size, Number.POSITIVE_INFINITY)), size, 1));
}

/** The subjects. Each name is the operation's in kernels/expr, or says the sequence. */
export function primitives(): Subject[] {
  const { neg, abs, sqrt, floor, roundTo, add, sub, mul, div, select, toInt32, toFloat32 } = e;
  const comparisons = { lt: e.lt, le: e.le, eq: e.eq, ne: e.ne, gt: e.gt, ge: e.ge };
  const floats = ["float32", "float32", "float32"] as const;
  const one = (name: string, make: (x: e.Expr) => e.Expr) => operation(name, ["float32"], make);
  const two = (name: string, make: (x: e.Expr, y: e.Expr) => e.Expr) => operation(name, ["float32", "float32"], make);
  const whole = contiguousView([rows, depth]);
  const across = transposeView(contiguousView([depth, rows]), [1, 0]);
  const [left, right] = productViews(whole, contiguousView([depth, columns]));
  return [
    ...Object.entries({ neg, abs, sqrt, floor }).map(([name, op]) => one(name, op)),
    ...narrowFormats.map((format) => one(format, (x) => roundTo(x, format))),
    one("pow2", powerOf),
    one("exponent", exponentOf),
    one("toInt32", toInt32),
    operation("toFloat32", ["int32"], toFloat32),
    operation("high16", ["uint32"], e.high16),
    operation("low16", ["uint32"], e.low16),
    ...Object.entries({ add, sub, mul, div }).map(([name, op]) => two(name, op)),
    ...Object.entries(comparisons).map(([name, op]) => two(name, op)),
    operation("select", ["float32", "float32", "bool"], (x, y, yes) => select(yes, x, y)),
    operation("mul, then add", floats, (x, y, z) => add(mul(x, y), z)),
    operation("mul, then sub", floats, (x, y, z) => sub(z, mul(x, y))),
    operation("mul twice, then add", floats, (x, y, z) => add(mul(x, y), mul(y, z))),
    operation("add, then add", floats, (x, y, z) => add(add(x, y), z)),
    operation("add, then sub", floats, (x, y, z) => sub(add(x, y), add(x, z))),
    two("add, then take away", (x, y) => sub(add(x, y), x)),
    two("mul, then div", (x, y) => div(mul(x, y), y)),
    one("div by 3", (x) => div(x, 3)),
    one("exp", exp),
    ...Object.entries({ add, sub, mul, div }).map(([name, op]) =>
      operation(`${name} of int32`, ["int32", "int32"], op),
    ),
    ...(["sum", "prod", "max", "min", "argmax", "argmin"] as const).flatMap((combine) => [
      fold(`${combine} of rows`, combine, "lanes", x, [whole]),
      fold(`${combine} of columns`, combine, "chunks", x, [across]),
    ]),
    fold("sum of products", "sum", "chunks", mul(x, y), [left, right]),
    fold("sum of a product less one", "sum", "lanes", sub(mul(x, y), z), [whole, whole, whole]),
  ];
}
