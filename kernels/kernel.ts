// Kernels: each family's loop nest described once. A kernel says what is read (views), what one element computes (an expression), and in
// which order sums run; printers and the interpreter in the backends give it a body. Sources and outputs are numbers of the plan's values.
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

/** Bytes an element takes in memory. */
export function elementBytes({ dtype, storage }: Stored): number {
  return storage ? 2 : itemSize(dtype);
}

/** Words of the stream, made where they are read: element i is draw `firstDraw` + i, counted from the base that a run is given. */
export interface Draws {
  readonly firstDraw: number;
}

/** A value's number, a view's own affine index as int32, or words of the stream. */
export type Source = number | "coordinate" | Draws;

/** What a kernel reads, through a view. Draws are read by maps alone, whole and in order. */
export interface KernelInput extends Stored {
  readonly source: Source;
  readonly view: View;
}

interface KernelBase extends Stored {
  /** The value it writes, whole, row-major. */
  readonly output: number;
  /** The output's shape. */
  readonly shape: Shape;
}

/** out[i] = body(inputs[i]) over `shape`. */
export interface MapKernel extends KernelBase {
  readonly kind: "map";
  readonly inputs: readonly KernelInput[];
  readonly body: Expr;
}

export type Combine = "sum" | "max" | "min" | "argmax" | "argmin";

/**
 * The written orders of NUMERICS.md. `lanes` (the last axes): blocks of 1024, in a block 16 lanes, lane j takes i ≡ j (mod 16) ascending,
 * lanes combine 8, 4, 2, 1, blocks ascending. `chunks` (any other axes): chunks of 256 by row-major index, ascending.
 */
export type Order = "lanes" | "chunks";

/** Combines body(inputs) over `reduced`, for every point of `shape`. Views run over [...shape, ...reduced]. argmax, argmin give the row-major index in `reduced`: NaN wins, ties to the lowest. */
export interface ReduceKernel extends KernelBase {
  readonly kind: "reduce";
  readonly reduced: Shape;
  readonly order: Order;
  readonly combine: Combine;
  readonly inputs: readonly KernelInput[];
  readonly body: Expr;
}

/** out[batch…, i, j] = Σₖ a[batch…, i, k] · b[batch…, k, j]: k ascending in chunks of 256 from +0, chunk sums ascending. float32. */
export interface MatmulKernel extends KernelBase {
  readonly kind: "matmul";
  readonly depth: number;
  /** View over [...batch, rows, depth]. */
  readonly a: KernelInput;
  /** View over [...batch, depth, columns]. */
  readonly b: KernelInput;
}

/** out[…i…] = x[…indices[…i…]…]: the index replaces the coordinate of `axis`. An index outside [0, extent) is an error when run. */
export interface GatherKernel extends KernelBase {
  readonly kind: "gather";
  readonly axis: number;
  /** View over x's own shape: the extents of the output but along `axis`. */
  readonly x: KernelInput;
  /** int32, a view over the output's shape. */
  readonly indices: KernelInput;
}

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

export type Kernel =
  | MapKernel
  | ReduceKernel
  | MatmulKernel
  | GatherKernel
  | ScatterKernel
  | AssembleKernel
  | RandomKernel;

export const isDraws = (source: Source): source is Draws => typeof source === "object";

/** Everything the kernel reads. */
export function kernelInputs(kernel: Kernel): readonly KernelInput[] {
  switch (kernel.kind) {
    case "map":
    case "reduce":
      return kernel.inputs;
    case "matmul":
      return [kernel.a, kernel.b];
    case "gather":
      return [kernel.x, kernel.indices];
    case "scatter":
      return [kernel.indices, kernel.updates];
    case "assemble":
      return kernel.pieces.map(({ input }) => input);
    case "random":
      return [];
  }
}

/** The kernel with other inputs in the places of its own. */
export function mapInputs(kernel: Kernel, change: (input: KernelInput) => KernelInput): Kernel {
  switch (kernel.kind) {
    case "map":
    case "reduce":
      return { ...kernel, inputs: kernel.inputs.map(change) };
    case "matmul":
      return { ...kernel, a: change(kernel.a), b: change(kernel.b) };
    case "gather":
      return { ...kernel, x: change(kernel.x), indices: change(kernel.indices) };
    case "scatter":
      return { ...kernel, indices: change(kernel.indices), updates: change(kernel.updates) };
    case "assemble":
      return { ...kernel, pieces: kernel.pieces.map((piece) => ({ ...piece, input: change(piece.input) })) };
    case "random":
      return kernel;
  }
}

/** The pieces of an assembly with their shapes. */
export function placedPieces({ pieces }: AssembleKernel): Placed[] {
  return pieces.map(({ input, starts, steps }) => ({ shape: input.view.shape, starts, steps }));
}

/** Sums of a matmul or a `chunks` reduction run in chunks of this many terms. */
export const chunkSize = 256;
/** A `lanes` reduction runs in blocks of this many elements … */
export const blockSize = 1024;
/** … with this many lanes a block. */
export const laneCount = 16;
