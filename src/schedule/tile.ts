// How a product is tiled: 4 rows by 8 columns of sums in registers (8 vectors, and what is loaded fits beside them: 6×8, 4×12 and 3×16 spill
// and run at half the speed on V8), by 16 where pairs of vectors run as one; both operands packed; for 512 columns the right operand's panels of 256
// terms stay in the second cache.
import { chunkSize, type Kernel, type KernelInput } from "../../kernels/kernel.ts";
import type { Product } from "../../kernels/product.ts";
import { contiguousView, type View } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";

export const tileRows = 4;
/** A tile has two vectors in each row, or two pairs of them. */
export const tileColumns = ({ vectorWidth }: Pick<Target, "vectorWidth">): number => (vectorWidth === 8 ? 16 : 8);
/** Terms per round of the tile's loop. */
export const tileUnroll = 16;
export const columnBlock = 512;
/** How many panels of the left operand are packed together where its rows are neighbours in memory: a cache line's worth. */
export const lineGroups = 4;
export const rowBlock = lineGroups * tileRows;
/** Panels lie a cache line further apart than they are long, or lines at a power of two would push each other out. */
export const gap = 64;
export const leftPitch = 4 * tileRows * chunkSize + gap;
export const leftBytes = lineGroups * leftPitch;

/** The operands and the output over the batch's axes. */
export function batchInputs({ shape, output, dtype }: Kernel, { batch, a, b }: Product): KernelInput[] {
  const head = (view: View): View => ({
    shape: batch,
    strides: view.strides.slice(0, -2),
    bounds: view.bounds.slice(0, -2),
    offset: view.offset,
  });
  return [
    { ...a, view: head(a.view) },
    { ...b, view: head(b.view) },
    { source: output, dtype, view: head(contiguousView(shape)) },
  ];
}

/** Room for all of the right operand, packed in panels of 8 or 16 columns: what runs together doesn't depend on which. */
export function panelBytes({ columns, depth }: Product): number {
  const most = 16 * Math.ceil(columns / 16);
  return 4 * most * depth + (most / 8) * gap * Math.ceil(depth / chunkSize);
}
