// How a kernel runs where thousands of invocations run at once: which of them computes what, in which shape of tiles. Every number that shapes a dispatch
// stands here; a backend prints it.
import { blockSize, chunkSize, type FoldKernel, isArgument, laneCount } from "../../kernels/kernel.ts";
import type { LineKernel } from "../../kernels/line.ts";
import type { Product } from "../../kernels/product.ts";
import { sizeOf } from "../core/shape.ts";

/** Invocations of a workgroup. */
export const groupSize = 64;

/** From so many outputs on a fold's invocations have enough to do without sharing out the terms of one. */
const manyOutputs = 4096;

/**
 * A fold: `parts` blocks or chunks of at most `width` terms, in each `lanes` sums. `isSplit`: invocations share the sums of an output, and leave them in scratch memory for one that
 * joins them in order. No barrier is between them: LLVM, which compiles for SwiftShader, then takes minutes for a body of 30 operations.
 */
export interface FoldGrid {
  readonly outputs: number;
  readonly count: number;
  readonly width: number;
  readonly parts: number;
  readonly lanes: number;
  readonly isSplit: boolean;
}

export function foldGrid({ shape, fold: { reduced, order, combine } }: FoldKernel): FoldGrid {
  const [outputs, count] = [sizeOf(shape), sizeOf(reduced)];
  const [width, lanes] = order === "lanes" ? [blockSize, Math.min(laneCount, count)] : [chunkSize, 1];
  const parts = Math.ceil(count / width);
  return {
    outputs,
    count,
    width,
    parts,
    lanes,
    isSplit: parts * lanes > 1 && !isArgument(combine) && outputs < manyOutputs,
  };
}

/** A line's prefix: where its combinations may be joined in any order, integers and where the best is, a workgroup's invocations take `width` elements each. */
export function prefixGrid({ shape, axis, combine, inputs }: LineKernel & { readonly combine: string }) {
  const [{ dtype }] = inputs;
  const count = shape[axis];
  const isAssociative = combine !== "linear" && (dtype === "int32" || isArgument(combine));
  return { isShared: isAssociative && count >= 2 * groupSize, width: Math.ceil(count / groupSize) };
}

/** Of 32,768 elements on SwiftShader 0.22 s; with runs of 64 0.32, of 256 0.7, and by counting alone 32 s. */
const longestRun = 32;

/** A line's sort: runs of `run` elements are sorted by counting, and merged two by two in `merges` dispatches. */
export function sortGrid(count: number) {
  const run = Math.min(count, longestRun);
  return { run, merges: 32 - Math.clz32(Math.ceil(count / run) - 1) };
}

/**
 * A product's tiles: a workgroup of `side` by `side` invocations, each of which computes `rows` by `columns` outputs; of the operands `terms` at a time wait in its memory. What an invocation loads is used for 4 rows and 4 columns: of 512 × 512 matrices on SwiftShader 3 times as fast as 2 by 2. Few rows or columns take less. 8 terms fill a sector of 32 bytes; of 32
 * terms SwiftShader, which clears a workgroup's memory word by word, compiles two and a half times as long.
 */
export function tileGrid({ rows, columns }: Product) {
  const side = 8;
  const own = (extent: number) => (extent > 2 * side ? 4 : extent > side ? 2 : 1);
  return { side, rows: own(rows), columns: own(columns), terms: 8 };
}
