// Kernels: each loop nest described once. A kernel says what is read (views, perhaps by an index that is data), what one point computes (an
// expression), and in which order points are combined; printers and the interpreter in the backends give it a body. Sources and outputs are numbers
// of the plan's values. What isn't such a loop is of a kind of its own (kinds.ts).

import { type DType, itemSize, type NarrowFormat, type TypedArray } from "../src/core/dtype.ts";
import type { Shape } from "../src/core/shape.ts";
import type { Expr } from "./expr.ts";
import { coordinateView, type View } from "./view.ts";

/** How elements are kept in memory: as their dtype, or, where all are known to be numbers of a 16-bit float format, as that format's bits. */
export interface Stored {
  readonly dtype: DType;
  /** Only beside float32. What is computed is the same with it and without it. */
  readonly storage?: NarrowFormat;
}

/** Bytes that an element takes in memory. */
export function elementBytes({ dtype, storage }: Stored): number {
  return storage ? 2 : itemSize(dtype);
}

/** Words of the stream, made where they are read: element i is draw `firstDraw` + i, counted from the base that a run is given. */
export interface Draws {
  readonly firstDraw: number;
}

/** A value's number, a view's own affine index as int32, or words of the stream. */
export type Source = number | "coordinate" | Draws;

/** What a kernel reads, through a view over its loop's axes. Draws are read by loops without a fold alone, whole and in order. */
export interface KernelInput extends Stored {
  readonly source: Source;
  readonly view: View;
  readonly index?: Index;
}

/** An index that is data: it takes the element `stride` times its value further on. One outside [0, extent) is an error when run. */
export interface Index {
  /** int32, a view over the loop's axes without bounds. */
  readonly at: KernelInput;
  readonly extent: number;
  readonly stride: number;
}

/** A loop in which kernels are run position after position. Kernels of one loop follow one another, and have this very object. */
export interface Repeat {
  readonly count: number;
  /** Whether the last position comes first. */
  readonly reverse: boolean;
  /** By how much the draws of a position begin further on than those of the one before. */
  readonly draws: number;
  /** The loop that it is in. */
  readonly within?: Repeat;
}

/** What all kernels have. */
export interface KernelBase extends Stored {
  readonly kind: string;
  /** The value it writes, whole, row-major. */
  readonly output: number;
  /** The output's shape. */
  readonly shape: Shape;
  readonly inputs: readonly KernelInput[];
  /** The innermost loop that it is repeated in. */
  readonly repeat?: Repeat;
}

/** Indices that may be out of range, and what they are held against. */
export type CheckedIndex = Pick<Index, "at" | "extent">;

/** Fills `out` from what the inputs' views read, row-major; draws are counted from `base`. */
export type Compute = (
  inputs: readonly TypedArray[],
  out: TypedArray,
  run: { readonly seed: bigint; readonly base: number },
) => void;

/** All that is asked of kernels of a kind that isn't a loop, but for how a backend runs them. */
export interface Kind<K extends KernelBase> {
  /** Its meaning, in plain loops. */
  compute(kernel: K): Compute;
  /** What it costs, roughly, in elementary operations. */
  work(kernel: K): number;
  /** float32 + − × ÷ √; none if left out. */
  flops?(kernel: K): number;
  /** What it computes, for people: the inputs' names are a, b, … */
  text(kernel: K): string;
  /** What is told beside input `i`. */
  inputText?(kernel: K, i: number): string;
  indices?(kernel: K): readonly CheckedIndex[];
  /** Its range of draws, counted from the base. */
  draws?(kernel: K): { readonly first: number; readonly count: number };
  /** Whether each element of the output is one of its inputs', or 0. */
  keepsElements?(kernel: K): boolean;
  /** A sum in the order that a slip gives it: what is looked for where bits are wrong. */
  readonly otherOrder?: { readonly text: string; compute(kernel: K): Compute };
}

/** What joins values into one of their dtype. */
export type Join = "sum" | "prod" | "max" | "min";
/** Where the extreme is, which no order moves. */
export type Argument = "argmax" | "argmin";
export type Combine = Join | Argument;

export const isArgument = (combine: string): combine is Argument => combine === "argmax" || combine === "argmin";

/** The value that changes nothing: it stands on the left, or is a lane that got nothing. */
export function neutral(combine: Combine, dtype: DType): number {
  if (combine === "sum" || combine === "prod") return combine === "sum" ? 0 : 1;
  const isLeast = combine === "max" || combine === "argmax";
  if (dtype === "float32") return isLeast ? -Infinity : Infinity;
  return isLeast ? -(2 ** 31) : 2 ** 31 - 1;
}

/**
 * The written orders of NUMERICS.md. `lanes` (the last axes): blocks of 1024, in a block 16 lanes, lane j takes i ≡ j (mod 16) ascending,
 * lanes combine 8, 4, 2, 1, blocks ascending. `chunks` (any other axes): chunks of 256 by row-major index, ascending.
 */
export type Order = "lanes" | "chunks";

/** The loop's values combined over `reduced`, in a written order. argmax, argmin give the row-major index in `reduced`: NaN wins, ties to the lowest. */
export interface Fold {
  readonly reduced: Shape;
  readonly combine: Combine;
  readonly order: Order;
}

/**
 * A loop nest: body(inputs) at every point of `shape`, or where there is a fold, combined over its `reduced` for every point of `shape`. Views run
 * over [...shape, ...reduced]. A product of matrices is a sum of products (product.ts), a read by index an input with an index.
 */
export interface LoopKernel extends KernelBase {
  readonly kind: "loop";
  readonly body: Expr;
  readonly fold?: Fold;
}

/** A loop with a fold. */
export type FoldKernel = LoopKernel & { readonly fold: Fold };

export const isDraws = (source: Source): source is Draws => typeof source === "object";

const isLoop = (kernel: KernelBase): kernel is LoopKernel => kernel.kind === "loop";

export const isFold = (kernel: KernelBase): kernel is FoldKernel => isLoop(kernel) && kernel.fold !== undefined;

/** Whether each element of the output comes from one point of the loop. */
export const isMap = (kernel: KernelBase): kernel is LoopKernel => isLoop(kernel) && kernel.fold === undefined;

/** What a loop reads that does nothing but read one input by an index; else null. */
export function asGather(kernel: KernelBase): (KernelInput & { readonly index: Index }) | null {
  if (!isMap(kernel) || kernel.inputs.length !== 1 || kernel.body.kind !== "input") return null;
  const [input] = kernel.inputs;
  return input.index ? { ...input, index: input.index } : null;
}

/** The extents that a loop's views run over. */
export const loopShape = ({ shape, fold }: LoopKernel): Shape => (fold ? [...shape, ...fold.reduced] : shape);

/** Inputs, then the indices of those that have one. */
export function withIndices(inputs: readonly KernelInput[]): readonly KernelInput[] {
  const indices = inputs.flatMap(({ index }) => (index ? [index.at] : []));
  return indices.length > 0 ? [...inputs, ...indices] : inputs;
}

/** Everything the kernel reads. */
export const kernelInputs = ({ inputs }: KernelBase): readonly KernelInput[] => withIndices(inputs);

/** The values that a kernel reads, each once. */
export function sourcesOf(kernel: KernelBase): number[] {
  return [...new Set(kernelInputs(kernel).flatMap(({ source }) => (typeof source === "number" ? [source] : [])))];
}

/** The coordinate along an axis of a loop's shape. */
export function coordinateInput(shape: Shape, axis: number): KernelInput {
  return { source: "coordinate", dtype: "int32", view: coordinateView(shape, axis) };
}

/** How far and by which steps an input goes through its source: along each axis of its view, and by its index. */
export function walksOf({ view, index }: KernelInput): readonly { readonly extent: number; readonly stride: number }[] {
  const walks = view.shape.map((extent, axis) => ({ extent, stride: view.strides[axis] }));
  return index ? [...walks, index] : walks;
}

/** The kernel with other inputs in the places of its own. */
export function mapInputs<K extends KernelBase>(kernel: K, change: (input: KernelInput) => KernelInput): K {
  const deep = (input: KernelInput): KernelInput => {
    const changed = change(input);
    return changed.index ? { ...changed, index: { ...changed.index, at: change(changed.index.at) } } : changed;
  };
  return { ...kernel, inputs: kernel.inputs.map(deep) };
}

/** `chunks` folds run in chunks of this many terms. */
export const chunkSize = 256;
/** A `lanes` fold runs in blocks of this many elements … */
export const blockSize = 1024;
/** … with this many lanes per block. */
export const laneCount = 16;
