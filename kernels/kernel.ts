// Kernels: each loop nest described once. A kernel says what is read (views, perhaps by an index that is data), what one point computes (an
// expression), and in which order points are combined; printers and the interpreter in the backends give it a body. Sources and outputs are numbers of the plan's values.
import { type DType, itemSize } from "../src/core/dtype.ts";
import type { Shape } from "../src/core/shape.ts";
import type { Place, Placed } from "./assemble.ts";
import type { Expr, NarrowFormat } from "./expr.ts";
import type { View } from "./view.ts";

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

interface KernelBase extends Stored {
  /** The value it writes, whole, row-major. */
  readonly output: number;
  /** The output's shape. */
  readonly shape: Shape;
}

export type Combine = "sum" | "max" | "min" | "argmax" | "argmin";

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
  readonly inputs: readonly KernelInput[];
  readonly body: Expr;
  readonly fold?: Fold;
}

/** A loop with a fold. */
export type FoldKernel = LoopKernel & { readonly fold: Fold };

/** out = zeros; out[…indices[…i…]…] += updates[…i…], by destination, in ascending row-major position of the update. An index outside is an error when run. */
export interface ScatterKernel extends KernelBase {
  readonly kind: "scatter";
  readonly axis: number;
  readonly indices: KernelInput;
  readonly updates: KernelInput;
}

/** The pieces where they land, each point the sum of those that land there, in their order and from the first; 0 where none does. */
export interface AssembleKernel extends KernelBase {
  readonly kind: "assemble";
  /** A view over each piece's shape, without bounds, and where it lands. */
  readonly pieces: readonly (Place & { readonly input: KernelInput })[];
}

/** Integers that take several words each: a sampler of src/rng. The offset is relative to the base that the execution is given. */
export interface RandomKernel extends KernelBase {
  readonly kind: "random";
  readonly sampler: "randint" | "permutation";
  readonly offset: number;
  readonly draws: number;
  /** randint's bounds [low, high). */
  readonly low?: number;
  readonly high?: number;
}

export type Kernel = LoopKernel | ScatterKernel | AssembleKernel | RandomKernel;

export const isDraws = (source: Source): source is Draws => typeof source === "object";

export const isFold = (kernel: Kernel): kernel is FoldKernel => kernel.kind === "loop" && kernel.fold !== undefined;

/** Whether each element of the output comes from one point of the loop. */
export const isMap = (kernel: Kernel): kernel is LoopKernel => kernel.kind === "loop" && kernel.fold === undefined;

/** What a loop reads that does nothing but read one input by an index; else null. */
export function asGather(kernel: Kernel): (KernelInput & { readonly index: Index }) | null {
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
export function kernelInputs(kernel: Kernel): readonly KernelInput[] {
  switch (kernel.kind) {
    case "loop":
      return withIndices(kernel.inputs);
    case "scatter":
      return [kernel.indices, kernel.updates];
    case "assemble":
      return kernel.pieces.map(({ input }) => input);
    case "random":
      return [];
  }
}

/** The kernel with other inputs in the places of its own. */
export function mapInputs<K extends Kernel>(kernel: K, change: (input: KernelInput) => KernelInput): K;
export function mapInputs(kernel: Kernel, change: (input: KernelInput) => KernelInput): Kernel {
  switch (kernel.kind) {
    case "loop": {
      const deep = (input: KernelInput): KernelInput => {
        const changed = change(input);
        return changed.index ? { ...changed, index: { ...changed.index, at: change(changed.index.at) } } : changed;
      };
      return { ...kernel, inputs: kernel.inputs.map(deep) };
    }
    case "scatter":
      return { ...kernel, indices: change(kernel.indices), updates: change(kernel.updates) };
    case "assemble":
      return { ...kernel, pieces: kernel.pieces.map((piece) => ({ ...piece, input: change(piece.input) })) };
    case "random":
      return kernel;
  }
}

/** The indices that may be out of range, and what they are held against. */
export function kernelIndices(kernel: Kernel): readonly Pick<Index, "at" | "extent">[] {
  if (kernel.kind === "scatter") return [{ at: kernel.indices, extent: kernel.shape[kernel.axis] }];
  return kernel.kind === "loop" ? kernel.inputs.flatMap(({ index }) => (index ? [index] : [])) : [];
}

/** The pieces of an assembly with their shapes. */
export function placedPieces({ pieces }: AssembleKernel): Placed[] {
  return pieces.map(({ input, starts, steps }) => ({ shape: input.view.shape, starts, steps }));
}

/** `chunks` folds run in chunks of this many terms. */
export const chunkSize = 256;
/** A `lanes` fold runs in blocks of this many elements … */
export const blockSize = 1024;
/** … with this many lanes per block. */
export const laneCount = 16;
