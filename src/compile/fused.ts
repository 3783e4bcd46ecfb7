// Values that aren't in memory (yet): expressions over views of what is. How elementwise and movement ops make one out of others, and what is known
// of it: whether it grew too long, is made of draws alone, or has a 16-bit format.

import * as e from "../../kernels/expr.ts";
import { coordinateInput, isDraws, type KernelInput } from "../../kernels/kernel.ts";
import { contiguousView, isContiguous } from "../../kernels/view.ts";
import type { DType, NarrowFormat } from "../core/dtype.ts";
import { remembered } from "../core/remembered.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { firstDraw } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { ElementwiseRecord, MovementRecord } from "../ops/record.ts";
import { terms } from "../ops/terms.ts";
import { formatOf } from "./formats.ts";
import type { Value } from "./plan.ts";

/** A value that isn't in memory (yet): one expression over views of values that are. */
export interface FusedExpr {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly body: e.Expr;
  readonly inputs: readonly KernelInput[];
  /** All its values are numbers of this 16-bit format. */
  readonly format?: NarrowFormat;
  /** A part that has a format, and the same value computed from it, once it is in memory, where views give that. */
  readonly narrow?: { readonly part: FusedExpr; from(part: FusedExpr): FusedExpr | null };
}

/** A fused expression grows to at most this many inputs and operations; beyond, a part of it goes to memory. */
const maxInputs = 8;
const maxOperations = 400;

/** Whether the value grew beyond what one kernel should compute. */
export const isTooLong = ({ body, inputs }: FusedExpr) =>
  inputs.length > maxInputs ||
  (treeSize(body) > maxOperations && e.topological(body, e.alwaysComputed).length > maxOperations);

export const hasDraws = ({ source }: KernelInput) => isDraws(source);

/** An expression no larger than this may be computed by each reader: from words alone (a dropout mask is drawn again, never stored), or from what takes half its memory. */
const againOperations = 16;
export const isDrawnAgain = ({ body, inputs }: FusedExpr) =>
  inputs.length > 0 && inputs.every(hasDraws) && treeSize(body) <= againOperations;

/**
 * Whether the value is one operation on what takes a quarter of its memory or less: then each reader computes it, and it is in no memory. Measured: a
 * depthwise convolution's gradient, whose products are nine times its input, takes 0.4 of its time and of its memory.
 */
export function isSpread({ shape, body, inputs }: FusedExpr, sizeOfValue: (value: number) => number): boolean {
  const sizes = inputs.map(({ source, index }) =>
    typeof source === "number" && !index ? sizeOfValue(source) : Infinity,
  );
  return treeSize(body) <= 3 && 4 * sizes.reduce((sum, size) => sum + size, 0) <= sizeOf(shape);
}

/** Whether what is computed from a part that has a format is cheap beside it: few operations, and nothing else that is large. */
export function isCheap(
  { shape, body, inputs }: FusedExpr,
  part: FusedExpr,
  sizeOfValue: (value: number) => number,
): boolean {
  const size = sizeOf(shape);
  const [{ source: own }] = part.inputs;
  const isSmall = ({ source }: KernelInput) =>
    source === own || source === "coordinate" || (typeof source === "number" && 8 * sizeOfValue(source) <= size);
  return sizeOf(part.shape) <= size && treeSize(body) <= againOperations && inputs.every(isSmall);
}

/** All of a value that is in memory, or so much of it from an element on. */
export function wholeOf(
  source: number,
  { shape, dtype, format }: Pick<FusedExpr, "shape" | "dtype" | "format">,
  offset = 0,
): FusedExpr {
  const inputs = [{ source, dtype, view: { ...contiguousView(shape), offset } }];
  return { shape, dtype, body: e.input(0, dtype), inputs, format };
}

/** The value in memory that an expression is all of; undefined where it is another one. */
export function wholeValue({ shape, body, inputs: [only] }: FusedExpr, values: readonly Value[]): number | undefined {
  if (body.kind !== "input" || typeof only.source !== "number" || !isContiguous(only.view)) return undefined;
  return sizeOf(shape) === values[only.source].size ? only.source : undefined;
}

/** Draws of the stream, one per element. */
export function wordsOf(node: Node, base: number): FusedExpr {
  const { shape, dtype } = node;
  const source = { firstDraw: firstDraw(node, base) };
  return { shape, dtype, body: e.input(0, "uint32"), inputs: [{ source, dtype, view: contiguousView(shape) }] };
}

/** Whether fusing would compute the same element many times over: an expression that is stretched. */
export function repeats(node: Node, record: MovementRecord, fused: FusedExpr): boolean {
  return !record.fill && sizeOf(node.shape) > sizeOf(fused.shape) && e.children(fused.body).length > 0;
}

/** Sizes of expressions as trees: no less than the number of their distinct parts. */
const treeSizes = new WeakMap<e.Expr, number>();
function treeSize(expr: e.Expr): number {
  return remembered(treeSizes, expr, () => e.alwaysComputed(expr).reduce((sum, child) => sum + treeSize(child), 1));
}

const keys = new WeakMap<KernelInput, string>();
/** Equal for inputs that read the same elements. */
export const keyOf = (input: KernelInput): string => remembered(keys, input, keyText);

function keyText({ source: from, view: { strides, offset, bounds }, index }: KernelInput): string {
  const by = index ? ` by ${index.stride} of ${keyOf(index.at)} [${index.at.view.shape}] below ${index.extent}` : "";
  const source = isDraws(from) ? `draw ${from.firstDraw}` : from;
  return `${source} ${offset} ${strides.join()} ${bounds.map((bound) => bound?.join()).join(";")}${by}`;
}

/** One expression out of several over the same shape: equal inputs are read once. */
export function merge(node: Node, record: ElementwiseRecord, parts: readonly FusedExpr[]): FusedExpr {
  const inputs: KernelInput[] = [];
  const places = new Map<string, number>();
  const done = new Map<FusedExpr, e.Expr>();
  const placed = (part: FusedExpr) => {
    const at = part.inputs.map((input) => remembered(places, keyOf(input), () => inputs.push(input) - 1));
    const stays = at.every((place, i) => place === i);
    return stays ? part.body : e.substitute(part.body, (leaf) => e.input(at[leaf.index], leaf.type));
  };
  const bodies = parts.map((part) => remembered(done, part, placed));
  const { shape, dtype, attributes } = node;
  const body = record.value(bodies, terms, attributes);
  const known = bodies.map((part, i) => ({ body: part, format: parts[i].format }));
  return { shape, dtype, body, inputs, format: formatOf(body, known) };
}

/** What holds where a coordinate of an extent is within bounds. */
export const within = (at: e.Expr, [low, high]: readonly [number, number], extent: number): e.Expr[] => [
  ...(low > 0 ? [e.ge(at, low)] : []),
  ...(high < extent ? [e.lt(at, high)] : []),
];

/** The same expression over moved views; null where a view doesn't exist. New points are filled by a select on their coordinates. */
export function move(node: Node, record: MovementRecord, fused: FusedExpr): FusedExpr | null {
  const inputs: KernelInput[] = [];
  for (const input of fused.inputs) {
    const view = record.view(input.view, terms, node.shape, node.attributes);
    if (!view || (hasDraws(input) && !(isContiguous(view) && sizeOf(node.shape) === sizeOf(fused.shape)))) return null;
    inputs.push({ ...input, view });
  }
  let { body, format } = fused;
  if (record.fill) {
    const before = node.attributes.before as readonly number[];
    const covered = fused.shape.flatMap((extent, axis) => {
      if (node.shape[axis] === extent) return [];
      const at = e.input(inputs.push(coordinateInput(node.shape, axis)) - 1, "int32");
      return within(at, [before[axis], before[axis] + extent], node.shape[axis]);
    });
    body = e.select(covered.reduce(e.and), body, e.constant(record.fill(node.attributes), node.dtype));
    format = formatOf(body, [fused]);
  }
  return { shape: node.shape, dtype: node.dtype, body, inputs, format };
}

/** The value with what it is made of by `make`, where one of the parts has a format, or has a part that has, and the value has none. */
export function withNarrow(
  fused: FusedExpr,
  parts: readonly FusedExpr[],
  make: (parts: readonly FusedExpr[]) => FusedExpr | null,
): FusedExpr {
  const [narrow, ...others] = new Set(parts.filter((part) => part.format || part.narrow));
  if (fused.format || !narrow || others.length > 0) return fused;
  const from = (part: FusedExpr): FusedExpr | null => {
    const made = narrow.narrow ? narrow.narrow.from(part) : part;
    return made && make(parts.map((each) => (each === narrow ? made : each)));
  };
  return { ...fused, narrow: { part: narrow.narrow?.part ?? narrow, from } };
}
