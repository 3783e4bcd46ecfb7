// Kernels as they are printed for vectors of 8, held against the same for one element at a time: each operation there is, folds in both orders and
// products, at points that hold what is special about floats. The pass of V8's that runs two neighbouring vectors as one is experimental.

import { optimizeAtOnce } from "#engine";
import * as expr from "../../../kernels/expr.ts";
import type { Combine, Fold, LoopKernel } from "../../../kernels/kernel.ts";
import { exp } from "../../../kernels/math/exp.ts";
import { productViews } from "../../../kernels/product.ts";
import { contiguousView, reshapeView, sliceView, transposeView, type View } from "../../../kernels/view.ts";
import type { Backend } from "../../compile/contract.ts";
import type { Plan, Value } from "../../compile/plan.ts";
import { canonicalBytes } from "../../core/canonical.ts";
import type { DType, TypedArray } from "../../core/dtype.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";
import { fillWords } from "../../rng/stream.ts";

/** Points of each operation: whole rounds of every loop there is, and some left over. */
const count = 2059;
/** Operations that one kernel computes at most. */
const mostChoices = 8;
const special = [
  ...[0, 1, 0.5, 1.5, 2.5, 0.1, 2 ** -149, 2 ** -126, 2 ** -127, 2 ** 23 + 1, 2 ** 31, 65504, 65520, 2 ** -25, 3.4e38],
  ...[Number.POSITIVE_INFINITY, Number.NaN],
];
const words = new Uint32Array(4 * count);
fillWords(0n, 0, words);
const drawn = (from: number) => words.subarray(from * count, (from + 1) * count);
/** Floats of any bits, with the special ones and their opposites among them, `turn` places on. */
const anyFloats = (from: number, turn: number) => {
  const points = new Float32Array(drawn(from).slice().buffer);
  special.forEach((value, i) => {
    for (let at = i; at < count; at += 2 * special.length) {
      points[(at + turn) % count] = value;
      points[(at + turn + special.length) % count] = -value;
    }
  });
  return points;
};
const [rows, depth, columns] = [9, 300, 40];

/** What the kernels read: inputs of every type, by number. */
const inputs = {
  x: anyFloats(0, 0),
  y: anyFloats(1, 7),
  whole: Float32Array.from(drawn(2), (word) => (word % 254) - 126),
  normal: new Float32Array(Uint32Array.from(drawn(3), (word) => (word % 0x7e800000) + 0x800000).buffer),
  i: new Int32Array(drawn(0)),
  j: new Int32Array(drawn(1)),
  word: drawn(2),
  yes: Uint8Array.from(drawn(0), (word) => word & 1),
  no: Uint8Array.from(drawn(1), (word) => word & 1),
  which: Int32Array.from(drawn(3), (word) => (word >>> 4) % mostChoices),
  matrix: Float32Array.from({ length: depth * columns }, (_, at) => words[at % words.length] / 2 ** 31 - 1),
} as const satisfies Record<string, TypedArray>;
const names = Object.keys(inputs) as (keyof typeof inputs)[];
const dtypeOf = (data: TypedArray): DType =>
  data instanceof Float32Array
    ? "float32"
    : data instanceof Int32Array
      ? "int32"
      : data instanceof Uint32Array
        ? "uint32"
        : "bool";

type Read = readonly [name: keyof typeof inputs, view: View];
interface Subject {
  readonly name: string;
  readonly shape: Shape;
  readonly reads: readonly Read[];
  readonly body: expr.Expr;
  readonly fold?: Fold;
}

const flat = contiguousView([count]);
const operand = (name: keyof typeof inputs, at: number) => expr.input(at, dtypeOf(inputs[name]));

/** Operations, of which each point takes one by number: what all of them give is computed at every point. */
function operations(
  name: string,
  reads: readonly (keyof typeof inputs)[],
  make: (...operands: expr.Expr[]) => readonly expr.Expr[],
): Subject {
  const all = make(...reads.map(operand));
  const which = expr.input(reads.length, "int32");
  const body = all.reduce((others, each, i) => expr.select(expr.eq(which, i), each, others));
  return { name, shape: [count], reads: [...reads, "which" as const].map((read) => [read, flat]), body };
}

function subjects(): Subject[] {
  const { neg, abs, sqrt, floor, toInt32, toFloat32, pow2, exponent, high16, low16, not, and, or, select } = expr;
  const { add, sub, mul, div, lt, le, eq, ne, gt, ge, input } = expr;
  const matrix = contiguousView([depth, columns]);
  const fold = (name: string, combine: Combine, order: Fold["order"], view: View): Subject => {
    const [shape, reduced] = [view.shape.slice(0, 1), view.shape.slice(1)];
    const reads: Read[] = [["matrix", view]];
    return {
      name: `${combine} of ${name}`,
      shape,
      reads,
      body: input(0, "float32"),
      fold: { combine, order, reduced },
    };
  };
  const folds = (["sum", "prod", "max", "min"] as const).flatMap((combine) => [
    fold("rows", combine, "lanes", reshapeView(matrix, [columns / 10, 10 * depth])!),
    fold("columns", combine, "chunks", transposeView(matrix, [1, 0])),
  ]);
  const left = sliceView(reshapeView(matrix, [columns, depth])!, [0, 0], [1, 1], [rows, depth]);
  const rights = { "": matrix, " transposed": transposeView(reshapeView(matrix, [columns, depth])!, [1, 0]) };
  const products = Object.entries(rights).map(([how, right]): Subject => {
    const [a, b] = productViews(left, right);
    return {
      name: `matmul${how}`,
      shape: [rows, columns],
      reads: [a, b].map((view): Read => ["matrix", view]),
      body: mul(input(0, "float32"), input(1, "float32")),
      fold: { combine: "sum", order: "chunks", reduced: [depth] },
    };
  });
  const compared = (a: expr.Expr, b: expr.Expr) =>
    [lt, le, eq, ne, gt, ge]
      .map((compare, i) => mul(toInt32(compare(a, b)), 1 << i))
      .reduce((sum, each) => add(sum, each));
  return [
    operations("float32", ["x", "y"], (x, y) => [
      ...[neg, abs, sqrt, floor].map((op) => op(x)),
      ...[add, sub, mul, div].map((op) => op(x, y)),
    ]),
    operations("rounding", ["x"], (x) => expr.narrowFormats.map((format) => expr.roundTo(x, format))),
    operations("choices of float32", ["yes", "x", "y"], (yes, x, y) => [
      ...[lt(x, y), gt(x, y), yes].map((condition) => select(condition, x, y)),
      ...[select(yes, x, 0), select(yes, 0, x), select(yes, neg(x), x)],
    ]),
    operations("float32 to int32", ["x", "y"], (x, y) => [toInt32(x), compared(x, y)]),
    operations("int32", ["yes", "i", "j"], (yes, i, j) => [
      ...[neg, abs].map((op) => op(i)),
      ...[add, sub, mul].map((op) => op(i, j)),
      ...[select(yes, i, j), compared(i, j)],
    ]),
    operations("float32 from integers", ["i", "word", "whole", "normal"], (i, word, whole, normal) => [
      ...[toFloat32(i), toFloat32(word), high16(word), low16(word), pow2(whole), exponent(normal)],
    ]),
    operations("bool", ["yes", "no"], (yes, no) => [not(yes), and(yes, no), or(yes, no)]),
    operations("exp", ["x"], (x) => [exp(x)]),
    ...folds,
    ...products,
  ];
}

/** The plan of all subjects: each writes an output of its own. */
function planOf(all: readonly Subject[]): Plan {
  const value = (dtype: Value["dtype"], shape: Shape, place: Value["place"]): Value => {
    return { dtype, shape, size: sizeOf(shape), place };
  };
  const given = names.map((name, index) =>
    value(dtypeOf(inputs[name]), [inputs[name].length], { kind: "input", index }),
  );
  const made = all.map(({ body, shape }, index) => value(body.type, shape, { kind: "output", index }));
  const values = [...given, ...made];
  const port = (name: string, at: number) => ({ name, dtype: values[at].dtype, shape: values[at].shape, value: at });
  return {
    graph: { seed: 0n, inputs: [], outputs: [], watched: [], state: [], draws: 0, base: 0 },
    key: "self-test",
    graphHash: "",
    values,
    kernels: all.map(({ shape, body, fold, reads }, i): LoopKernel => {
      const read = ([name, view]: Read) => ({ source: names.indexOf(name), dtype: dtypeOf(inputs[name]), view });
      return { kind: "loop", output: names.length + i, dtype: body.type, shape, inputs: reads.map(read), body, fold };
    }),
    inputs: names.map(port),
    outputs: all.map(({ name }, i) => port(name, names.length + i)),
    state: [],
    draws: 0,
    nodeCount: 0,
  };
}

/** What every subject gives on a backend. */
async function results(backend: Backend, plan: Plan): Promise<Uint8Array[]> {
  const executable = await backend.load(plan);
  const bound = names.map((name, i) => {
    const buffer = backend.allocate(plan.inputs[i].dtype, inputs[name].length);
    backend.write(buffer, inputs[name]);
    return buffer;
  });
  const outputs = plan.outputs.map(({ dtype, shape }) => backend.allocate(dtype, sizeOf(shape)));
  for (let time = 0; time < 2; time++) await executable.run({ inputs: bound, outputs, seed: 0n, base: 0 });
  return Promise.all(outputs.map(async (buffer) => canonicalBytes(await backend.read(buffer))));
}

/** The names of what two backends give other bits for; the first's functions are optimized when they are first called. */
export async function selfTest(first: Backend, second: Backend): Promise<string[]> {
  const all = subjects();
  const plan = planOf(all);
  const b = await results(second, plan);
  optimizeAtOnce(true);
  const a = await results(first, plan).finally(() => optimizeAtOnce(false));
  return all.flatMap(({ name }, i) => (a[i].every((byte, at) => byte === b[i][at]) ? [] : [name]));
}
