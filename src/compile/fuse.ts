// Fusion: a graph's nodes become kernels. Elementwise and movement nodes stay expressions over views until something must be in memory:
// an output, an operand of a family that reads buffers, a value with several readers. It removes memory traffic and never moves a rounding.

import * as e from "../../kernels/expr.ts";
import { coordinateInput, type KernelInput, type Repeat } from "../../kernels/kernel.ts";
import { type Kernel, kernelIndices, kindOf, type SpecialKernel, specialKinds } from "../../kernels/kinds.ts";
import { broadcastView } from "../../kernels/view.ts";
import type { DType } from "../core/dtype.ts";
import { BackendError, refuse } from "../core/errors.ts";
import { LazyModule } from "../core/lazy.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { loopAttributes, loopNodes } from "../graph/body.ts";
import { fixedData, type Graph, graphNodes } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { recordOf } from "../ops/define.ts";
import { rangeKey } from "./checks.ts";
import { byIndex, lowerFamily } from "./family.ts";
import {
  type FusedExpr,
  hasDraws,
  isCheap,
  isDrawnAgain,
  isSpread,
  isTooLong,
  merge,
  move,
  repeats,
  wholeOf,
  wholeValue,
  withNarrow,
  wordsOf,
} from "./fused.ts";
import type { Port, Value } from "./plan.ts";
import type { Fusing } from "./repeat.ts";

/** Fusion of loops. */
export const loopFusion = new LazyModule(() => import("./repeat.ts"));

export interface Fused {
  readonly values: Value[];
  readonly kernels: Kernel[];
  readonly inputs: Port[];
  readonly outputs: Port[];
}

/** Options for tests: `fuse: false` puts every node in memory, `narrow: false` keeps all floats in 32 bits. */
export interface FuseOptions {
  readonly fuse?: boolean;
  readonly narrow?: boolean;
}

/** The kernels that compute the graph's outputs and watched roots, in an order that respects making order. */
export function fuse(graph: Graph, { fuse: fusing = true, narrow = true }: FuseOptions = {}): Fused {
  const values: Value[] = [];
  const kernels: Kernel[] = [];
  const expressions = new Map<Node, FusedExpr>();
  /** Indices that some gather before has refused to go on with unless they were in range. */
  const checked = new Set<string>();
  const nodes = graphNodes(graph, { watched: true });
  const roots = [...graph.outputs, ...graph.watched];
  const whole = new Set<Node>();
  const readers = new Map<Node, number>();
  let repeat: Repeat | undefined;
  const writtenIn = new Map<number, Repeat | undefined>();
  const emit = (kernel: Kernel) => {
    kernels.push(repeat ? { ...kernel, repeat } : kernel);
    writtenIn.set(kernel.output, repeat);
  };
  const write = (output: number, { dtype, shape, inputs, body }: FusedExpr) =>
    emit({ kind: "loop", output, dtype, shape, inputs, body });

  const newValue = (dtype: DType, shape: Shape, place: Value["place"] = { kind: "temporary" }): number =>
    values.push({ dtype, shape, size: sizeOf(shape), place }) - 1;
  const read = (value: number): FusedExpr => wholeOf(value, { ...values[value], format: values[value].storage });
  /** A temporary value becomes what the caller gets: as its dtype. */
  const give = (value: number, index: number) => {
    Object.assign(values[value], { place: { kind: "output", index }, storage: undefined });
  };
  /** Writes an expression to memory, as it is, and gives back a view of it. */
  const store = (fused: FusedExpr): FusedExpr => {
    const output = newValue(fused.dtype, fused.shape);
    if (narrow) values[output].storage = fused.format;
    write(output, fused);
    return read(output);
  };
  /** Where a few operations on a part that has a format give the value: that part in 16 bits, and the value computed by each reader; else null. */
  const fromNarrow = ({ narrow: half }: FusedExpr): FusedExpr | null => {
    if (!half || !narrow || !fusing) return null;
    const { part, from } = half;
    const isThere = part.body.kind === "input";
    const there = isThere ? part : wholeOf(values.length, part);
    const found = from(there);
    if (!found || !isCheap(found, there, (value) => values[value].size)) return null;
    if (!isThere) store(part);
    return found;
  };
  /** The expression as one plain view of memory, without bounds. */
  const asInput = (fused: FusedExpr): KernelInput => {
    const [only] = fused.inputs;
    const plain =
      fused.body.kind === "input" && typeof only.source === "number" && only.view.bounds.every((bound) => !bound);
    return plain ? only : store(fused).inputs[0];
  };

  /** The node's own kernel, over what is in memory. */
  const family = (node: Node, operands: readonly FusedExpr[]): FusedExpr => {
    const record = recordOf(node);
    const output = newValue(node.dtype, node.shape);
    // What is gathered are the operand's own values.
    if (narrow && record.kind === "gather") values[output].storage = operands[0].format;
    const parts = record.kind === "reduce" && operands[0].inputs.some(hasDraws) ? operands.map(store) : operands;
    const kernel = lowerFamily(node, record, parts, output, asInput, graph.base);
    const kind = kernel.kind === "loop" ? undefined : kindOf(kernel);
    if (record.kind === "gather") for (const { at, extent } of kernelIndices(kernel)) checked.add(rangeKey(at, extent));
    if (narrow && kind?.keepsElements?.(kernel as SpecialKernel)) {
      const [format, ...others] = new Set(operands.map((operand) => operand.format));
      if (others.length === 0) values[output].storage = format;
    }
    emit(kernel);
    return read(output);
  };
  /** Operands of which one, which are indices, is in memory. */
  const withIndices = (operands: readonly FusedExpr[], at: number): FusedExpr[] =>
    operands.map((each, i) => (i === at ? { ...each, body: e.input(0, each.dtype), inputs: [asInput(each)] } : each));
  /** A gather of less than there is, from an expression: its inputs are read by index and the rest is computed for those elements alone. */
  const pick = (node: Node, [x, at]: readonly FusedExpr[]): FusedExpr | null => {
    const [indices] = at.inputs;
    const axis = node.attributes.axis as number;
    const moving = x.inputs.filter(({ view }) => view.strides[axis] !== 0);
    const isPlain = x.inputs.every(({ source, view }) => typeof source === "number" && !view.bounds.some(Boolean));
    if (x.body.kind === "input" || moving.length !== 1 || !isPlain) return null;
    if (!fusing || sizeOf(node.shape) >= sizeOf(x.shape)) return null;
    const inputs = x.inputs.map((input): KernelInput => {
      if (input.view.strides[axis] === 0) return { ...input, view: { ...input.view, shape: node.shape } };
      checked.add(rangeKey(indices, x.shape[axis]));
      const output = newValue(input.dtype, node.shape);
      values[output].storage = values[input.source as number].storage;
      const { dtype } = input;
      write(output, { shape: node.shape, dtype, body: e.input(0, dtype), inputs: [byIndex(input, axis, indices)] });
      return read(output).inputs[0];
    });
    return { shape: node.shape, dtype: node.dtype, body: x.body, inputs, format: x.format };
  };
  /** A scatter of one element along the axis, whose indices a gather has found in range: 0 + the update where the coordinate is the index. */
  const place = (node: Node, [at, updates]: readonly FusedExpr[]): FusedExpr | null => {
    const [indices] = at.inputs;
    const axis = node.attributes.axis as number;
    if (!fusing || !scattersOne(node)) return null;
    if (!checked.has(rangeKey(indices, node.shape[axis]))) return null;
    const wide = (input: KernelInput) => ({ ...input, view: broadcastView(input.view, node.shape) });
    const update = updates.body.kind === "constant" ? null : asInput(updates);
    const { shape, dtype } = node;
    const isThere = e.eq(e.input(0, "int32"), e.input(1, "int32"));
    const body = e.select(isThere, e.add(0, update ? e.input(2, dtype) : updates.body), 0);
    const inputs = [coordinateInput(shape, axis), wide(indices), ...(update ? [wide(update)] : [])];
    return { shape, dtype, body, inputs };
  };

  const inputs = graph.inputs.map(({ name, node }, index): Port => {
    const value = newValue(node.dtype, node.shape, { kind: "input", index });
    expressions.set(node, read(value));
    return { name, dtype: node.dtype, shape: node.shape, value };
  });

  const lowerNodes = (nodes: readonly Node[], asked: readonly Node[]): void => {
    for (const node of readWhole(nodes, asked)) whole.add(node);
    const isRead = (node: Node) => readers.set(node, (readers.get(node) ?? 0) + 1);
    for (const node of nodes) new Set(node.inputs).forEach(isRead);
    asked.forEach(isRead);
    const loops = loopNodes(nodes, (node) => recordOf(node).kind === "repeat");
    // Asked for first: where they must be imported, all that came before is done again. And whoever has a plan has its kinds at hand.
    const loopRules = loops.size > 0 ? loopFusion.module : undefined;
    if (nodes.some((node) => recordOf(node).kind === "special" && !scattersOne(node))) specialKinds.need();
    for (const node of nodes) {
      const data = fixedData(graph, node);
      if (data) expressions.set(node, read(newValue(node.dtype, node.shape, { kind: "constant", data })));
      else if (recordOf(node).kind !== "repeat") expressions.set(node, lowerNode(node));
      // All of a loop's nodes at the first of them: what it reads is there.
      else if (!expressions.has(node)) loopRules!.lowerRepeat(loops.get(loopAttributes(node).body)!, loopFusing);
    }
  };
  const loopFusing: Fusing = {
    values,
    expressions,
    newValue,
    write,
    asInput,
    within(inner, body) {
      const outer = repeat;
      repeat = inner;
      body();
      repeat = outer;
    },
    lower: lowerNodes,
    isWritten: (value, inner) => values[value].place.kind === "temporary" && writtenIn.get(value) === inner,
    get around() {
      return repeat;
    },
  };

  const lowerNode = (node: Node): FusedExpr => {
    const record = recordOf(node);
    const { shape, dtype, attributes } = node;
    const operands = node.inputs.map((input) => expressions.get(input)!);
    let fused: FusedExpr;
    switch (record.kind) {
      case "leaf": {
        const expected = "one of its inputs, a constant or a captured value";
        refuse(BackendError, node.op, "a leaf that the graph binds to nothing", node.made?.line, expected);
        break;
      }
      case "full":
        fused = { shape, dtype, body: e.constant(attributes.value as number, dtype), inputs: [] };
        break;
      case "coordinate": {
        const inputs = [coordinateInput(shape, attributes.axis as number)];
        fused = { shape, dtype, body: e.input(0, dtype), inputs };
        break;
      }
      case "elementwise": {
        let parts = operands;
        let merged = merge(node, record, parts);
        if (isTooLong(merged)) {
          parts = parts.map((part) =>
            part.body.kind === "input" || part.body.kind === "constant" ? part : store(part),
          );
          merged = merge(node, record, parts);
        }
        fused = parts === operands ? withNarrow(merged, parts, (each) => merge(node, record, each)) : merged;
        break;
      }
      case "movement": {
        const moved = repeats(node, record, operands[0]) ? null : move(node, record, operands[0]);
        if (moved) fused = withNarrow(moved, operands, ([part]) => move(node, record, part));
        else {
          const stored = store(operands[0]);
          // Its other readers find it there.
          expressions.set(node.inputs[0], stored);
          fused = move(node, record, stored)!;
        }
        break;
      }
      case "words":
        fused = wordsOf(node, graph.base);
        break;
      case "gather": {
        const parts = withIndices(operands, 1);
        fused = pick(node, parts) ?? family(node, parts);
        break;
      }
      case "special": {
        const parts = record.of === "scatter" ? withIndices(operands, 0) : operands;
        fused = (record.of === "scatter" && place(node, parts)) || family(node, parts);
        break;
      }
      default:
        fused = family(node, operands);
    }
    const trivial = fused.body.kind === "input" || fused.body.kind === "constant";
    const isAgain = isDrawnAgain(fused) || (!whole.has(node) && isSpread(fused, (value) => values[value].size));
    if (!trivial && (!fusing || (readers.get(node)! > 1 && !isAgain)))
      fused = (whole.has(node) ? null : fromNarrow(fused)) ?? store(fused);
    return fused;
  };
  const own = roots.map((root) => root.node);
  lowerNodes(nodes, own);

  const outputs = roots.map(({ name, node }, index): Port => {
    const fused = expressions.get(node)!;
    const whole = wholeValue(fused, values);
    const state = graph.state.find(({ output }) => output === index);
    // State that stays as it is is there already.
    const stays = state && inputs[state.input].value === whole;
    // What a loop writes part by part isn't state: state waits for the last kernel that reads it.
    const isOwn = whole !== undefined && values[whole].place.kind === "temporary" && (writtenIn.has(whole) || !state);
    const stored = () => (isOwn ? whole : (store(fused).inputs[0].source as number));
    const value = stays ? newValue(node.dtype, node.shape) : stored();
    give(value, index);
    return { name, dtype: node.dtype, shape: node.shape, value };
  });
  for (const value of values) if (value.place.kind === "part") value.storage = values[value.place.of].storage;
  return { values, kernels, inputs, outputs };
}

/** Whether it is a scatter of one element along its axis, which may be a loop: `place`. */
function scattersOne(node: Node): boolean {
  const record = recordOf(node);
  return (
    record.kind === "special" && record.of === "scatter" && node.inputs[0].shape[node.attributes.axis as number] === 1
  );
}

/** Nodes that must be in memory whatever they are: roots, and what a family reads that reads buffers, moved or not. */
function readWhole(nodes: readonly Node[], roots: readonly Node[]): Set<Node> {
  const found = new Set(roots);
  for (const node of [...nodes].reverse()) {
    const { kind } = recordOf(node);
    const reads = ["matmul", "gather", "special", "repeat"].includes(kind) || (kind === "movement" && found.has(node));
    if (reads) for (const input of node.inputs) found.add(input);
  }
  return found;
}
