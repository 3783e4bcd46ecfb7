// A loop of the graph becomes kernels that are repeated: its body is fused like any graph, over values that are other parts of memory at each position.
// A carry has two places, which take turns, or where each of its values is asked for one for each position.
import * as e from "../../kernels/expr.ts";
import type { KernelInput, Repeat } from "../../kernels/kernel.ts";
import type { DType } from "../core/dtype.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { loopAttributes, loopOf } from "../graph/body.ts";
import { type Node, reachable } from "../graph/node.ts";
import { type FusedExpr, wholeOf, wholeValue } from "./fused.ts";
import type { Part, Value } from "./plan.ts";

/** What fusion has. */
export interface Fusing {
  readonly values: Value[];
  readonly expressions: Map<Node, FusedExpr>;
  newValue(dtype: DType, shape: Shape, place?: Value["place"]): number;
  /** Writes an expression to a value, as it is. */
  write(output: number, fused: FusedExpr): void;
  asInput(fused: FusedExpr): KernelInput;
  /** Lowers nodes, of which `roots` are asked for, in a loop. */
  within(repeat: Repeat, body: () => void): void;
  lower(nodes: readonly Node[], roots: readonly Node[]): void;
  /** Whether a value is between kernels only, and written by a kernel of just this loop. */
  isWritten(value: number, repeat: Repeat): boolean;
  /** The loop that is being lowered. */
  readonly around: Repeat | undefined;
}

/** Where a carry's values are: in one of two slots, or each in its own. */
interface History {
  readonly value: number;
  readonly size: number;
  readonly slots: number | undefined;
}

/** Lowers a loop: each of its nodes gets its expression. */
export function lowerRepeat(nodes: readonly Node[], fusing: Fusing): void {
  const { values, expressions, newValue, write, asInput } = fusing;
  const loop = loopOf(nodes[0]);
  const { attributes, values: inner, leaves, next } = loop;
  const { body, length, reverse } = attributes;
  const operands = loop.inputs.map((input) => expressions.get(input)!);
  if (length === 0) {
    for (const node of nodes) {
      const { of, at } = loopAttributes(node);
      const { shape, dtype } = node;
      expressions.set(node, of === "carry" ? operands[at] : { shape, dtype, body: e.constant(0, dtype), inputs: [] });
    }
    return;
  }
  const repeat: Repeat = { count: length, reverse, draws: body.draws, within: fusing.around };
  const stacked = new Set(nodes.map(loopAttributes).flatMap(({ of, at }) => (of === "stack" ? [at] : [])));
  const finals = nodes.map(loopAttributes).flatMap(({ of, at }) => (of === "carry" ? [at] : []));
  const kept = [...stacked].map((number) => inner[number]);
  const { alive, order, roots } = reached(loop, kept, finals);

  const isAsked = (number: number) => stacked.has(number);
  const histories = new Map<number, History>();
  for (const at of alive) {
    const { dtype, shape } = leaves[at];
    const slots = isAsked(at) || (body.carries[at] >= leaves.length && isAsked(body.carries[at])) ? undefined : 2;
    const value = newValue(dtype, [slots ?? length + 1, ...shape]);
    const history = { value, size: sizeOf(shape), slots };
    histories.set(at, history);
    const slot = reverse ? length % (slots ?? Infinity) : 0;
    write(newValue(dtype, shape, fixedPart(value, slot * history.size)), operands[at]);
  }
  /** A carry as an iteration finds it, or leaves it. */
  const carryPart = ({ value, size, slots }: History, isNext: boolean): Part => {
    const shift = isNext === reverse ? 0 : 1;
    return { kind: "part", of: value, start: 0, step: size, shift, slots, repeat };
  };

  leaves.forEach((leaf, at) => {
    const { dtype, shape } = leaf;
    const history = histories.get(at);
    if (history) expressions.set(leaf, wholeOf(newValue(dtype, shape, carryPart(history, false)), { dtype, shape }));
    if (at < next.length || !order.has(leaf)) return;
    const operand = operands[at];
    if (operand.body.kind === "constant") {
      expressions.set(leaf, { ...operand, shape });
      return;
    }
    const input = asInput(operand);
    const here = at < next.length + body.slices ? sliceOf(input, values, repeat, newValue) : input;
    expressions.set(leaf, { shape, dtype, body: e.input(0, dtype), inputs: [here] });
  });

  const isLeaf = new Set(leaves);
  /** Where what a value was at each position stands, one after another: with a carry's values, or by itself. */
  const stacks = new Map<number, { readonly value: number; readonly offset: number }>();
  fusing.within(repeat, () => {
    const computed = [...order].filter((node) => !isLeaf.has(node));
    fusing.lower(computed, roots);
    const put = (node: Node, part: Part) => {
      const fused = expressions.get(node)!;
      const value = wholeValue(fused, values);
      // What a kernel of this loop has just written is written there.
      if (value !== undefined && fusing.isWritten(value, repeat))
        Object.assign(values[value], { place: part, storage: undefined });
      else write(newValue(node.dtype, node.shape, part), fused);
    };
    for (const number of stacked) {
      const isNext = number >= next.length;
      const carry = isNext ? alive.find((at) => body.carries[at] === number && !histories.get(at)!.slots) : number;
      if (carry !== undefined) {
        const { value, size } = histories.get(carry)!;
        stacks.set(number, { value, offset: isNext === reverse ? 0 : size });
        continue;
      }
      const node = inner[number];
      const value = newValue(node.dtype, [length, ...node.shape]);
      stacks.set(number, { value, offset: 0 });
      put(node, { kind: "part", of: value, start: 0, step: sizeOf(node.shape), shift: 0, repeat });
    }
    // A value that is two carries, or that another carry was, is copied before any place is written that it may be read from.
    for (const at of alive) put(next[at], carryPart(histories.get(at)!, true));
  });

  const final = ({ value, size, slots = Infinity }: History) => {
    return { value, offset: reverse ? 0 : (length % slots) * size };
  };
  for (const node of nodes) {
    const { of, at } = loopAttributes(node);
    const { value, offset } = of === "stack" ? stacks.get(at)! : final(histories.get(at)!);
    expressions.set(node, wholeOf(value, node, offset));
  }
}

const fixedPart = (of: number, start: number): Part => ({ kind: "part", of, start, step: 0, shift: 0 });

/** What of a loop's body is needed: carries, nodes with the leaves among them, and which of the nodes are asked for. */
function reached(loop: ReturnType<typeof loopOf>, asked: readonly Node[], finals: readonly number[]) {
  const { next, leaves } = loop;
  const alive = new Set(finals);
  const roots = () => [...asked, ...[...alive].map((at) => next[at])];
  for (let known = -1; known < alive.size; ) {
    known = alive.size;
    const found = new Set(reachable(roots()));
    next.forEach((_, at) => {
      if (found.has(leaves[at])) alive.add(at);
    });
  }
  return { alive: [...alive].sort((a, b) => a - b), order: new Set(reachable(roots())), roots: roots() };
}

/** The slice of a view along its first axis at a loop's position. */
function sliceOf(
  input: KernelInput,
  values: readonly Value[],
  repeat: Repeat,
  newValue: Fusing["newValue"],
): KernelInput {
  const { view, source } = input;
  const [step, ...strides] = view.strides;
  const shape = view.shape.slice(1);
  const reach = (side: (way: number) => number) =>
    shape.reduce((sum, extent, axis) => sum + side(strides[axis] * (extent - 1)), 0);
  const [low, high] =
    sizeOf(shape) === 0 ? [0, -1] : [reach((way) => Math.min(way, 0)), reach((way) => Math.max(way, 0))];
  const part: Part = { kind: "part", of: source as number, start: view.offset + low, step, shift: 0, repeat };
  const value = newValue(values[source as number].dtype, [high - low + 1], part);
  return { ...input, source: value, view: { shape, strides, bounds: shape.map(() => null), offset: -low } };
}
