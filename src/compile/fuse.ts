// Fusion: a graph's nodes become kernels. Elementwise and movement nodes stay expressions over views until something must be in memory:
// an output, an operand of a family that reads buffers, a value with several readers. It removes memory traffic and never moves a rounding.
import * as e from "../../kernels/expr.ts";
import { isDraws, type Kernel, type KernelInput } from "../../kernels/kernel.ts";
import type { NarrowFormat } from "../../kernels/math/narrow.ts";
import { contiguousView, coordinateView, isContiguous, transposeView } from "../../kernels/view.ts";
import type { DType } from "../core/dtype.ts";
import { BackendError } from "../core/errors.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { fixedData, type Graph, graphNodes } from "../graph/hash.ts";
import type { Node } from "../graph/node.ts";
import { type ElementwiseRecord, type MovementRecord, recordOf } from "../ops/define.ts";
import { formatOf } from "./formats.ts";
import type { Port, Value } from "./plan.ts";

/** A value that isn't in memory (yet): one expression over views of values that are. */
interface Lazy {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly body: e.Expr;
  readonly inputs: readonly KernelInput[];
  /** All its values are numbers of this 16-bit format. */
  readonly format?: NarrowFormat;
}

/** A fused expression grows to at most this many inputs and operations; beyond, a part of it goes to memory. */
const maxInputs = 8;
const maxOperations = 400;

export interface Fused {
  readonly values: Value[];
  readonly kernels: Kernel[];
  readonly inputs: Port[];
  readonly outputs: Port[];
  readonly copies: { from: number; output: number }[];
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
  const lazies = new Map<Node, Lazy>();
  const nodes = graphNodes(graph, { watched: true });
  const roots = [...graph.outputs, ...graph.watched];
  const readers = countReaders(
    nodes,
    roots.map((root) => root.node),
  );

  const newValue = (dtype: DType, shape: Shape, place: Value["place"] = { kind: "arena", offset: 0 }): number =>
    values.push({ dtype, shape, size: sizeOf(shape), place }) - 1;
  const read = (value: number): Lazy => {
    const { dtype, shape, storage: format } = values[value];
    const inputs = [{ source: value, dtype, view: contiguousView(shape) }];
    return { shape, dtype, body: e.input(0, dtype), inputs, format };
  };
  /** An arena value becomes what the caller gets: as its dtype. */
  const give = (value: number, index: number) => {
    Object.assign(values[value], { place: { kind: "output", index }, storage: undefined });
  };
  /** Writes a lazy value to memory, as it is, and gives back a view of it. */
  const store = (lazy: Lazy): Lazy => {
    const output = newValue(lazy.dtype, lazy.shape);
    if (narrow) values[output].storage = lazy.format;
    kernels.push({ kind: "map", output, dtype: lazy.dtype, shape: lazy.shape, inputs: lazy.inputs, body: lazy.body });
    return read(output);
  };
  /** The lazy value as one plain view of memory, without bounds. */
  const asInput = (lazy: Lazy): KernelInput => {
    const [only] = lazy.inputs;
    const plain =
      lazy.body.kind === "input" && typeof only.source === "number" && only.view.bounds.every((bound) => !bound);
    return plain ? only : store(lazy).inputs[0];
  };

  const inputs = graph.inputs.map(({ name, node }, index): Port => {
    const value = newValue(node.dtype, node.shape, { kind: "input", index });
    lazies.set(node, read(value));
    return { name, dtype: node.dtype, shape: node.shape, value };
  });

  for (const node of nodes) {
    const data = fixedData(graph, node);
    if (data) {
      lazies.set(node, read(newValue(node.dtype, node.shape, { kind: "constant", data })));
      continue;
    }
    const record = recordOf(node);
    const operands = node.inputs.map((input) => lazies.get(input)!);
    let lazy: Lazy;
    switch (record.kind) {
      case "leaf":
        throw new BackendError({
          where: node.op,
          problem: "a leaf that the graph binds to nothing",
          got: node.site,
          expected: "one of its inputs, a constant or a captured value",
        });
      case "full":
        lazy = {
          shape: node.shape,
          dtype: node.dtype,
          body: e.constant(node.attributes.value as number, node.dtype),
          inputs: [],
        };
        break;
      case "coordinate":
        lazy = {
          shape: node.shape,
          dtype: "int32",
          body: e.input(0, "int32"),
          inputs: [
            { source: "coordinate", dtype: "int32", view: coordinateView(node.shape, node.attributes.axis as number) },
          ],
        };
        break;
      case "elementwise": {
        let parts = operands;
        let merged = merge(node, record, parts);
        if (merged.inputs.length > maxInputs || isLong(merged.body)) {
          parts = parts.map((part) =>
            part.body.kind === "input" || part.body.kind === "constant" ? part : store(part),
          );
          merged = merge(node, record, parts);
        }
        lazy = merged;
        break;
      }
      case "movement":
        lazy =
          (repeats(node, record, operands[0]) ? null : move(node, record, operands[0])) ??
          move(node, record, store(operands[0]))!;
        break;
      case "words":
        lazy = wordsOf(node, graph.base);
        break;
      default: {
        const output = newValue(node.dtype, node.shape);
        // What is gathered are the operand's own values.
        if (narrow && record.kind === "gather") values[output].storage = operands[0].format;
        const parts = record.kind === "reduce" && operands[0].inputs.some(hasDraws) ? operands.map(store) : operands;
        kernels.push(lowerFamily(node, record, parts, output, asInput, graph.base));
        lazy = read(output);
      }
    }
    const trivial = lazy.body.kind === "input" || lazy.body.kind === "constant";
    if (!trivial && (!fusing || (readers.get(node)! > 1 && !isDrawnAgain(lazy)))) lazy = store(lazy);
    lazies.set(node, lazy);
  }

  const copies: Fused["copies"] = [];
  const outputs = roots.map(({ name, node }, index): Port => {
    const lazy = lazies.get(node)!;
    const [only] = lazy.inputs;
    const whole =
      lazy.body.kind === "input" &&
      typeof only.source === "number" &&
      isContiguous(only.view) &&
      sizeOf(node.shape) === values[only.source].size;
    let value: number;
    if (whole && values[only.source as number].place.kind === "arena") {
      value = only.source as number;
      give(value, index);
    } else if (whole) {
      value = newValue(node.dtype, node.shape, { kind: "output", index });
      copies.push({ from: only.source as number, output: value });
    } else {
      value = store(lazy).inputs[0].source as number;
      give(value, index);
    }
    return { name, dtype: node.dtype, shape: node.shape, value };
  });
  return { values, kernels, inputs, outputs, copies };
}

const hasDraws = ({ source }: KernelInput) => isDraws(source);

/** An expression over words alone that is no larger than this is computed by each reader: a dropout mask is drawn again, never stored. */
const drawnAgain = 16;
const isDrawnAgain = ({ body, inputs }: Lazy) =>
  inputs.length > 0 && inputs.every(hasDraws) && treeSize(body) <= drawnAgain;

/** Words of the stream, one an element. */
function wordsOf(node: Node, base: number): Lazy {
  const { shape, dtype } = node;
  const source = { firstDraw: firstDraw(node, base) };
  return { shape, dtype, body: e.input(0, "uint32"), inputs: [{ source, dtype, view: contiguousView(shape) }] };
}

/** The node's first draw: from the trace's base, unless it was drawn before. */
function firstDraw({ draws }: Node, base: number): number {
  return draws!.offset - (draws!.seed === undefined ? 0 : base);
}

/** Whether fusing would compute the same element many times over: an expression that is stretched. */
function repeats(node: Node, record: MovementRecord, lazy: Lazy): boolean {
  return !record.fill && sizeOf(node.shape) > sizeOf(lazy.shape) && e.children(lazy.body).length > 0;
}

function countReaders(nodes: readonly Node[], roots: readonly Node[]): Map<Node, number> {
  const readers = new Map<Node, number>(nodes.map((node) => [node, 0]));
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) if (readers.has(input)) readers.set(input, readers.get(input)! + 1);
  }
  for (const root of roots) if (readers.has(root)) readers.set(root, readers.get(root)! + 1);
  return readers;
}

/** Sizes of expressions as trees: no less than the number of their distinct parts. */
const treeSizes = new WeakMap<e.Expr, number>();
function treeSize(expr: e.Expr): number {
  const known = treeSizes.get(expr);
  if (known !== undefined) return known;
  const size = e.children(expr).reduce((sum, child) => sum + treeSize(child), 1);
  treeSizes.set(expr, size);
  return size;
}

const isLong = (body: e.Expr) => treeSize(body) > maxOperations && e.topological(body).length > maxOperations;

const keys = new WeakMap<KernelInput, string>();
function keyOf(input: KernelInput): string {
  const known = keys.get(input);
  if (known !== undefined) return known;
  const { strides, offset, bounds } = input.view;
  const source = isDraws(input.source) ? `draw ${input.source.firstDraw}` : input.source;
  const key = `${source} ${offset} ${strides.join()} ${bounds.map((bound) => bound?.join()).join(";")}`;
  keys.set(input, key);
  return key;
}

/** One expression out of several over the same shape: equal inputs are read once. */
function merge(node: Node, record: ElementwiseRecord, parts: readonly Lazy[]): Lazy {
  const inputs: KernelInput[] = [];
  const places = new Map<string, number>();
  const done = new Map<Lazy, e.Expr>();
  const bodies = parts.map((part) => {
    const known = done.get(part);
    if (known) return known;
    const at = part.inputs.map((input) => {
      const key = keyOf(input);
      const place = places.get(key) ?? inputs.push(input) - 1;
      places.set(key, place);
      return place;
    });
    const stays = at.every((place, i) => place === i);
    const body = stays ? part.body : e.substitute(part.body, (leaf) => e.input(at[leaf.index], leaf.type));
    done.set(part, body);
    return body;
  });
  const { shape, dtype, attributes } = node;
  const body = record.value(bodies, attributes);
  const known = bodies.map((part, i) => ({ body: part, format: parts[i].format }));
  return { shape, dtype, body, inputs, format: record.narrowTo?.(attributes) ?? formatOf(body, known) };
}

/** The same expression over moved views; null where a view doesn't exist. New points are filled by a select on their coordinates. */
function move(node: Node, record: MovementRecord, lazy: Lazy): Lazy | null {
  const inputs: KernelInput[] = [];
  for (const input of lazy.inputs) {
    const view = record.view(input.view, node.shape, node.attributes);
    if (!view || (hasDraws(input) && !(isContiguous(view) && sizeOf(node.shape) === sizeOf(lazy.shape)))) return null;
    inputs.push({ ...input, view });
  }
  let { body, format } = lazy;
  if (record.fill) {
    const before = node.attributes.before as readonly number[];
    const covered: e.Expr[] = [];
    lazy.shape.forEach((extent, axis) => {
      if (node.shape[axis] === extent) return;
      const at = e.input(
        inputs.push({ source: "coordinate", dtype: "int32", view: coordinateView(node.shape, axis) }) - 1,
        "int32",
      );
      if (before[axis] > 0) covered.push(e.ge(at, before[axis]));
      if (before[axis] + extent < node.shape[axis]) covered.push(e.lt(at, before[axis] + extent));
    });
    body = e.select(covered.reduce(e.and), body, e.constant(record.fill(node.attributes), node.dtype));
    format = formatOf(body, [lazy]);
  }
  return { shape: node.shape, dtype: node.dtype, body, inputs, format };
}

/** The kernel of a node whose family reads buffers. */
function lowerFamily(
  node: Node,
  record: ReturnType<typeof recordOf>,
  operands: readonly Lazy[],
  output: number,
  asInput: (lazy: Lazy) => KernelInput,
  drawBase: number,
): Kernel {
  const base = { output, dtype: node.dtype, shape: node.shape };
  switch (record.kind) {
    case "reduce": {
      const [x] = operands;
      const axes = node.attributes.axes as readonly number[];
      const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
      const permutation = [...kept, ...axes];
      const last = axes.every((axis, i) => axis === x.shape.length - axes.length + i);
      const inputs = x.inputs.map((input) => ({ ...input, view: transposeView(input.view, permutation) }));
      return {
        kind: "reduce",
        ...base,
        reduced: axes.map((axis) => x.shape[axis]),
        order: last ? "lanes" : "chunks",
        combine: record.combine,
        inputs,
        body: x.dtype === "bool" ? e.toInt32(x.body) : x.body,
      };
    }
    case "matmul": {
      const [a, b] = operands.map(asInput);
      return { kind: "matmul", ...base, depth: a.view.shape[a.view.shape.length - 1], a, b };
    }
    case "gather":
      return {
        kind: "gather",
        ...base,
        axis: node.attributes.axis as number,
        x: asInput(operands[0]),
        indices: asInput(operands[1]),
      };
    case "scatter":
      return {
        kind: "scatter",
        ...base,
        axis: node.attributes.axis as number,
        indices: asInput(operands[0]),
        updates: asInput(operands[1]),
      };
    case "random": {
      const { low, high } = node.attributes as { low?: number; high?: number };
      return {
        kind: "random",
        ...base,
        sampler: record.sampler,
        offset: firstDraw(node, drawBase),
        draws: node.draws!.count,
        low,
        high,
      };
    }
    default:
      throw new TypeError(`no kernel family for ${record.kind}`);
  }
}
