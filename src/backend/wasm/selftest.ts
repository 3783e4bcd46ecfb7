// Kernels as they are printed for vectors of 8, held against the same for one element at a time: each operation there is, folds in both orders and
// products, tried as a device is. The pass of V8's that runs two neighbouring vectors as one is experimental.

import { optimizeAtOnce } from "#engine";
import * as expr from "../../../kernels/expr.ts";
import { exp } from "../../../kernels/math/exp.ts";
import { productViews } from "../../../kernels/product.ts";
import { contiguousView, transposeView } from "../../../kernels/view.ts";
import type { Backend } from "../../compile/contract.ts";
import { type DType, narrowFormats } from "../../core/dtype.ts";
import { exponentOf, fold, operation, powerOf } from "../primitives.ts";
import { type Subject, tryKernel } from "../trial.ts";

/** Operations that one kernel computes at most: a power of two. */
const mostChoices = 8;

/** Operations, of which each point takes one: what all of them give is computed at every point, and few functions are compiled. */
function operations(
  name: string,
  types: readonly DType[],
  make: (...operands: expr.Expr[]) => readonly expr.Expr[],
): Subject {
  return operation(name, [...types, "int32"], (...operands) => {
    const which = expr.and(operands[types.length], expr.constant(mostChoices - 1, "int32"));
    const all = make(...operands.slice(0, types.length));
    return all.reduce((others, each, i) => expr.select(expr.eq(which, i), each, others));
  });
}

function subjects(): Subject[] {
  const { neg, abs, sqrt, floor, toInt32, toFloat32, high16, low16, not, and, or, select } = expr;
  const { add, sub, mul, div, lt, le, eq, ne, gt, ge } = expr;
  const [x, y] = [0, 1].map((i) => expr.input(i, "float32"));
  const [rows, depth, columns] = [9, 300, 40];
  const [long, across] = [contiguousView([64, 100]), transposeView(contiguousView([100, 64]), [1, 0])];
  const folds = (["sum", "prod", "max", "min"] as const).flatMap((combine) => [
    fold(`${combine} of rows`, combine, "lanes", x, [long]),
    fold(`${combine} of columns`, combine, "chunks", x, [across]),
  ]);
  const rights = {
    "": contiguousView([depth, columns]),
    " transposed": transposeView(contiguousView([columns, depth]), [1, 0]),
  };
  const products = Object.entries(rights).map(([how, right]) =>
    fold(`matmul${how}`, "sum", "chunks", mul(x, y), productViews(contiguousView([rows, depth]), right)),
  );
  const compared = (a: expr.Expr, b: expr.Expr) =>
    [lt, le, eq, ne, gt, ge]
      .map((compare, i) => mul(toInt32(compare(a, b)), 1 << i))
      .reduce((sum, each) => add(sum, each));
  return [
    operations("float32", ["float32", "float32"], (x, y) => [
      ...[neg, abs, sqrt, floor].map((op) => op(x)),
      ...[add, sub, mul, div].map((op) => op(x, y)),
    ]),
    operations("rounding", ["float32"], (x) => narrowFormats.map((format) => expr.roundTo(x, format))),
    operations("choices of float32", ["bool", "float32", "float32"], (yes, x, y) => [
      ...[lt(x, y), gt(x, y), yes].map((condition) => select(condition, x, y)),
      ...[select(yes, x, 0), select(yes, 0, x), select(yes, neg(x), x)],
    ]),
    operations("float32 to int32", ["float32", "float32"], (x, y) => [toInt32(x), compared(x, y)]),
    operations("int32", ["bool", "int32", "int32"], (yes, i, j) => [
      ...[neg, abs].map((op) => op(i)),
      ...[add, sub, mul].map((op) => op(i, j)),
      ...[select(yes, i, j), compared(i, j)],
    ]),
    operations("float32 from integers", ["int32", "uint32", "float32"], (i, word, x) => [
      ...[toFloat32(i), toFloat32(word), high16(word), low16(word), powerOf(x), exponentOf(x)],
    ]),
    operations("bool", ["bool", "bool"], (yes, no) => [not(yes), and(yes, no), or(yes, no)]),
    operations("exp", ["float32"], (x) => [exp(x)]),
    ...folds,
    ...products,
  ];
}

/** The names of what two backends give other bits for; functions are optimized when they are first called. */
export async function selfTest(first: Backend, second: Backend): Promise<string[]> {
  const wrong: string[] = [];
  optimizeAtOnce(true);
  try {
    for (const subject of subjects()) {
      const { name, fault } = await tryKernel(subject, first, second);
      if (fault !== undefined) wrong.push(name);
    }
  } finally {
    optimizeAtOnce(false);
  }
  return wrong;
}
