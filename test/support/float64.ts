// A test-only reading of graphs in float64, from the same records: what gradients are checked with by central differences. Elementary
// functions keep their float32 polynomials, so values are good to about 1e-7; the order of sums doesn't matter here.

import { type Expr, input as inputExpr, topological } from "../../kernels/expr.ts";
import { kindOf, type SpecialKernel } from "../../kernels/kinds.ts";
import { contiguousView } from "../../kernels/view.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";
import { loopAttributes, loopOf } from "../../src/graph/body.ts";
import { type Node, reachable } from "../../src/graph/node.ts";
import { recordOf } from "../../src/ops/define.ts";
import { terms } from "../../src/ops/terms.ts";
import { fillWords } from "../../src/rng/draws.ts";

/** Elements in float64. */
export type Numbers = Float64Array;

const doubles = new DataView(new ArrayBuffer(8));

/** ⌊log₂ x⌋ from the bits of a float64. */
function exponentOf(x: number): number {
  doubles.setFloat64(0, x);
  return ((doubles.getUint32(0) >>> 20) & 2047) - 1023;
}

/** One element of an expression. Integers and bools are exact; nothing wraps. */
function scalar(root: Expr, order: readonly Expr[], inputs: readonly number[]): number {
  const values = new Map<Expr, number>();
  const of = (expr: Expr) => values.get(expr)!;
  for (const expr of order) values.set(expr, step(expr, of, inputs));
  return of(root);
}

function step(expr: Expr, of: (expr: Expr) => number, inputs: readonly number[]): number {
  switch (expr.kind) {
    case "input":
      return inputs[expr.index];
    case "constant":
      return expr.value;
    case "select":
      return of(expr.condition) ? of(expr.yes) : of(expr.no);
    case "compare": {
      const [a, b] = [of(expr.a), of(expr.b)];
      return Number({ lt: a < b, le: a <= b, eq: a === b, ne: a !== b, gt: a > b, ge: a >= b }[expr.op]);
    }
    case "binary": {
      const [a, b] = [of(expr.a), of(expr.b)];
      const bits = { xor: a ^ b, shl: a << b, shr: a >> b };
      return { add: a + b, sub: a - b, mul: a * b, div: a / b, and: a && b, or: a || b, ...bits }[expr.op];
    }
    case "unary": {
      const x = of(expr.x);
      switch (expr.op) {
        case "neg":
          return -x;
        case "abs":
          return Math.abs(x);
        case "sqrt":
          return Math.sqrt(x);
        case "floor":
          return Math.floor(x);
        case "not":
          return x ? 0 : 1;
        case "pow2":
          return 2 ** x;
        case "exponent":
          return exponentOf(x);
        case "high16":
          return x >>> 16;
        case "low16":
          return x & 0xffff;
        // Nothing is rounded here.
        case "bfloat16":
        case "float16":
        case "toFloat32":
          return x;
        case "toInt32":
          return Math.trunc(x);
      }
    }
  }
}

/** All points of a shape, row-major. */
function points(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (all, extent) => all.flatMap((point) => Array.from({ length: extent }, (_, i) => [...point, i])),
    [[]],
  );
}

const replaced = (point: readonly number[], axis: number, at: number) => point.map((old, i) => (i === axis ? at : old));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);

function compute(node: Node, operands: readonly Numbers[]): Numbers {
  const record = recordOf(node);
  const { shape, attributes, inputs } = node;
  const fill = (element: (point: number[], i: number) => number) => Float64Array.from(points(shape), element);
  switch (record.kind) {
    case "elementwise": {
      const body = record.value(
        inputs.map((operand, i) => inputExpr(i, operand.dtype)),
        terms,
        attributes,
      );
      const order = topological(body);
      return Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
        scalar(
          body,
          order,
          operands.map((operand) => operand[i]),
        ),
      );
    }
    case "movement": {
      const { strides, offset, bounds } = record.view(contiguousView(inputs[0].shape), terms, shape, attributes)!;
      return fill((point) =>
        point.every((at, axis) => !bounds[axis] || (at >= bounds[axis][0] && at < bounds[axis][1]))
          ? operands[0][offset + dot(point, strides)]
          : record.fill!(attributes),
      );
    }
    case "reduce": {
      const axes = attributes.axes as readonly number[];
      const strides = stridesOf(inputs[0].shape);
      const kept = inputs[0].shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
      const inner = points(axes.map((axis) => inputs[0].shape[axis]));
      const pick = (list: readonly number[]) => list.map((axis) => strides[axis]);
      return fill((point) => {
        const row = inner.map((at) => operands[0][dot(point, pick(kept)) + dot(at, pick(axes))]);
        const [most, least] = [Math.max(...row), Math.min(...row)];
        const found = {
          sum: row.reduce((a, b) => a + b, 0),
          prod: row.reduce((a, b) => a * b, 1),
          max: most,
          min: least,
          argmax: row.indexOf(most),
          argmin: row.indexOf(least),
        };
        return found[record.combine];
      });
    }
    case "matmul": {
      const depth = inputs[0].shape[inputs[0].shape.length - 1];
      const [left, right] = inputs.map((operand) => stridesOf(operand.shape));
      return fill((point) => {
        const [batch, [i, j]] = [point.slice(0, -2), point.slice(-2)];
        let sum = 0;
        for (let k = 0; k < depth; k++) {
          sum += operands[0][dot([...batch, i, k], left)] * operands[1][dot([...batch, k, j], right)];
        }
        return sum;
      });
    }
    case "gather": {
      const [axis, strides] = [attributes.axis as number, stridesOf(inputs[0].shape)];
      return fill((point, i) => operands[0][dot(replaced(point, axis, operands[1][i]), strides)]);
    }
    case "special": {
      const given = inputs.map((operand, source) => {
        return { source, dtype: operand.dtype, view: contiguousView(operand.shape) };
      });
      const base = { kind: record.of, output: -1, dtype: node.dtype, shape, inputs: given };
      const kernel = { ...base, ...record.kernel(node, given, 0) } as SpecialKernel;
      const out = new Float64Array(sizeOf(shape));
      const read = kernel.inputs.map(({ source }) => operands[source as number]);
      // Sums that are stored in float64 are rounded to that.
      kindOf(kernel).compute(kernel)(read as never, out as never, { seed: 1n, base: node.draws?.offset ?? 0 });
      return out;
    }
    case "full":
      return fill(() => attributes.value as number);
    case "coordinate":
      return fill((point) => point[attributes.axis as number]);
    case "words": {
      const words = new Uint32Array(node.draws!.count);
      fillWords(node.draws!.seed ?? 1n, node.draws!.offset, words);
      return Float64Array.from(words.subarray(0, sizeOf(shape)));
    }
    case "repeat":
      return repeated(node, operands);
    case "leaf":
      return Float64Array.from(node.data!);
  }
}

/** A loop's node, position after position. */
function repeated(node: Node, operands: readonly Numbers[]): Numbers {
  const { of, at } = loopAttributes(node);
  const { attributes, values, leaves, next } = loopOf(node);
  const { body, length, reverse } = attributes;
  let carry = operands.slice(0, next.length);
  const out = new Float64Array(sizeOf(node.shape));
  for (let turn = 0; turn < length; turn++) {
    const position = reverse ? length - 1 - turn : turn;
    const bound = leaves.map((leaf, i): [Node, Numbers] => {
      const size = sizeOf(leaf.shape);
      const isSlice = i >= next.length && i < next.length + body.slices;
      return [
        leaf,
        i < next.length ? carry[i] : isSlice ? operands[i].slice(position * size, (position + 1) * size) : operands[i],
      ];
    });
    const found = evaluateFloat64([...next, values[at]], new Map(bound));
    if (of === "stack") out.set(found[next.length], position * sizeOf(values[at].shape));
    carry = found.slice(0, next.length);
  }
  return of === "carry" ? carry[at] : out;
}

/** The nodes' elements in float64, with some leaves bound. */
export function evaluateFloat64(roots: readonly Node[], bound: ReadonlyMap<Node, ArrayLike<number>>): Numbers[] {
  const values = new Map<Node, Numbers>();
  for (const [node, data] of bound) values.set(node, Float64Array.from(data));
  for (const node of reachable(roots, (leaf) => bound.has(leaf))) {
    if (!values.has(node))
      values.set(
        node,
        compute(
          node,
          node.inputs.map((input) => values.get(input)!),
        ),
      );
  }
  return roots.map((root) => values.get(root)!);
}
