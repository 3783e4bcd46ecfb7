// A test-only reading of graphs in float64, from the same records: what gradients are checked with by central differences. Elementary
// functions keep their float32 polynomials, so values are good to about 1e-7; the order of sums doesn't matter here.
import { type Expr, input as inputExpr, topological } from "../../kernels/expr.ts";
import { kindOf, type SpecialKernel } from "../../kernels/kinds.ts";
import { contiguousView } from "../../kernels/view.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";
import { bodyValues, loopAttributes, loopOf } from "../../src/graph/body.ts";
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

type Element = (operands: readonly Numbers[], i: number) => number;
const elements = new WeakMap<Node, Element>();

/** An element of an elementwise op's result. Integers and bools are exact; nothing wraps. */
function elementOf(node: Node, body: () => Expr): Element {
  const known = elements.get(node);
  if (known) return known;
  const root = body();
  const order = topological(root);
  const names = new Map(order.map((expr, i) => [expr, `v${i}`]));
  const of = (expr: Expr) => names.get(expr)!;
  const lines = order.map((expr) => `const ${of(expr)} = ${source(expr, of)};`);
  const text = `return (operands, i) => { ${lines.join("\n")} return ${of(root)}; };`;
  const element: Element = new Function("exponentOf", text)(exponentOf);
  elements.set(node, element);
  return element;
}

function source(expr: Expr, of: (expr: Expr) => string): string {
  switch (expr.kind) {
    case "input":
      return `operands[${expr.index}][i]`;
    case "constant":
      return Object.is(expr.value, -0) ? "-0" : String(expr.value);
    case "select":
      return `${of(expr.condition)} ? ${of(expr.yes)} : ${of(expr.no)}`;
    case "compare": {
      const sign = { lt: "<", le: "<=", eq: "===", ne: "!==", gt: ">", ge: ">=" }[expr.op];
      return `Number(${of(expr.a)} ${sign} ${of(expr.b)})`;
    }
    case "binary": {
      const bits = { xor: "^", shl: "<<", shr: ">>" };
      const sign = { add: "+", sub: "-", mul: "*", div: "/", and: "&&", or: "||", ...bits }[expr.op];
      const found = `${of(expr.a)} ${sign} ${of(expr.b)}`;
      return expr.op === "div" && expr.type !== "float32" ? `Math.trunc(${found})` : found;
    }
    case "unary": {
      const x = of(expr.x);
      return {
        neg: `-${x}`,
        abs: `Math.abs(${x})`,
        sqrt: `Math.sqrt(${x})`,
        floor: `Math.floor(${x})`,
        not: `${x} ? 0 : 1`,
        pow2: `2 ** ${x}`,
        exponent: `exponentOf(${x})`,
        high16: `${x} >>> 16`,
        low16: `${x} & 0xffff`,
        // Nothing is rounded here.
        bfloat16: x,
        float16: x,
        toFloat32: x,
        toInt32: `Math.trunc(${x})`,
        toUint32: x,
      }[expr.op];
    }
  }
}

const known = new Map<string, number[][]>();

/** All points of a shape, row-major. */
function points(shape: Shape): readonly (readonly number[])[] {
  const all =
    known.get(String(shape)) ??
    shape.reduce<number[][]>(
      (sofar, extent) => sofar.flatMap((point) => Array.from({ length: extent }, (_, i) => [...point, i])),
      [[]],
    );
  known.set(String(shape), all);
  return all;
}

const replaced = (point: readonly number[], axis: number, at: number) => point.map((old, i) => (i === axis ? at : old));
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);

function compute(node: Node, operands: readonly Numbers[]): Numbers {
  const record = recordOf(node);
  const { shape, attributes, inputs } = node;
  const fill = (element: (point: readonly number[], i: number) => number) => Float64Array.from(points(shape), element);
  switch (record.kind) {
    case "elementwise": {
      const element = elementOf(node, () =>
        record.value(
          inputs.map((operand, i) => inputExpr(i, operand.dtype)),
          terms,
          attributes,
        ),
      );
      return Float64Array.from({ length: sizeOf(shape) }, (_, i) => element(operands, i));
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

const bodies = new WeakMap<Node, Evaluate[]>();

/** What a position of a loop comes to: its next carries, and the value that the node is of. Draws move on from position to position. */
function positionOf(node: Node, position: number): Evaluate {
  const { body, at } = loopAttributes(node);
  const known = bodies.get(node) ?? [];
  bodies.set(node, known);
  const which = body.draws > 0 ? position : 0;
  if (!known[which]) {
    const { leaves } = loopOf(node);
    const draws = node.draws && { ...node.draws, offset: node.draws.offset + which * body.draws };
    const values = bodyValues(body, leaves, { made: undefined, draws });
    known[which] = evaluatorOf([...body.carries.map((number) => values[number]), values[at]], leaves);
  }
  return known[which];
}

/** A loop's node, position after position. */
function repeated(node: Node, operands: readonly Numbers[]): Numbers {
  const { of, at, body, length, reverse } = loopAttributes(node);
  const [slices, fixed] = [body.carries.length, body.carries.length + body.slices];
  let carry = operands.slice(0, slices);
  const out = new Float64Array(sizeOf(node.shape));
  for (let turn = 0; turn < length; turn++) {
    const position = reverse ? length - 1 - turn : turn;
    const found = positionOf(
      node,
      position,
    )(
      operands.map((operand, i) => {
        if (i < slices) return carry[i];
        const size = operand.length / length;
        return i < fixed ? operand.slice(position * size, (position + 1) * size) : operand;
      }),
    );
    if (of === "stack") out.set(found[slices], position * found[slices].length);
    carry = found.slice(0, slices);
  }
  return of === "carry" ? carry[at] : out;
}

/** Elements of roots, for those of leaves. */
type Evaluate = (data: readonly ArrayLike<number>[]) => Numbers[];

/** What computes nodes' elements in float64 from those of some leaves, again and again: what doesn't depend on the leaves is computed once. */
export function evaluatorOf(roots: readonly Node[], leaves: readonly Node[]): Evaluate {
  const bound = new Set(leaves);
  const moving = new Set(leaves);
  const fixed = new Map<Node, Numbers>();
  const order = reachable(roots, (leaf) => bound.has(leaf)).filter((node) => !bound.has(node));
  for (const node of order) {
    if (node.inputs.some((input) => moving.has(input))) moving.add(node);
    else
      fixed.set(
        node,
        compute(
          node,
          node.inputs.map((input) => fixed.get(input)!),
        ),
      );
  }
  const later = order.filter((node) => moving.has(node));
  return (data) => {
    const values = new Map<Node, Numbers>(leaves.map((leaf, i) => [leaf, Float64Array.from(data[i])]));
    const of = (node: Node) => values.get(node) ?? fixed.get(node)!;
    for (const node of later) values.set(node, compute(node, node.inputs.map(of)));
    return roots.map(of);
  };
}

/** The nodes' elements in float64, with some leaves bound. */
export const evaluateFloat64 = (roots: readonly Node[], bound: ReadonlyMap<Node, ArrayLike<number>>): Numbers[] =>
  evaluatorOf(roots, [...bound.keys()])([...bound.values()]);
