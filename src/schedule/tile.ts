// How a product is tiled: 4 rows by 8 columns of sums in registers (8 vectors, and what is loaded fits beside them: 6×8, 4×12 and 3×16 spill
// and run at half the speed on V8), by 16 where pairs of vectors run as one; the right operand packed; for 512 columns the right operand's panels of 256
// terms stay in the second cache.
import { chunkSize, type KernelInput } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import type { Product } from "../../kernels/product.ts";
import { contiguousView, type View } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";

export const tileRows = 4;
/** A tile has two vectors in each row, or two pairs of them. */
export const tileColumns = ({ vectorWidth }: Pick<Target, "vectorWidth">): number => (vectorWidth === 8 ? 16 : 8);
/** Terms per round of the tile's loop. */
export const tileUnroll = 16;
export const columnBlock = 512;
/** Many rows are shared in portions of as many tiles as lie in a cache line. */
export const rowBlock = 4 * tileRows;
/** Panels lie a cache line further apart than they are long, or lines at a power of two would push each other out. */
export const gap = 64;
export const leftPitch = 4 * tileRows * chunkSize + gap;

/** The operands and the output over the batch's axes. */
export function batchInputs({ shape, output, dtype }: Kernel, { batch, a, b }: Product): KernelInput[] {
  const head = (view: View): View => ({
    shape: batch,
    strides: view.strides.slice(0, batch.length),
    bounds: view.bounds.slice(0, batch.length),
    offset: view.offset,
  });
  return [
    { ...a, view: head(a.view) },
    { ...b, view: head(b.view) },
    { source: output, dtype, view: head(contiguousView(shape)) },
  ];
}

/** Packed operands of a group, and each of them, should stay in the second cache beside what the rows bring: measured. */
export const mostPanelBytes = 640 * 1024;
const mostOwnBytes = 320 * 1024;

/** Room for all of the right operand, packed in panels of 8 or 16 columns: what runs together doesn't depend on which. */
function rightBytes({ columns, depth }: Product): number {
  const most = 16 * Math.ceil(columns / 16);
  return 4 * most * depth + (most / 8) * gap * Math.ceil(depth / chunkSize);
}

/**
 * Whether a product runs in tiles over packed operands. One row times columns that are neighbours in memory doesn't: what is packed would be used once, and
 * columns run side by side without.
 */
export function isTiled({ rows, axes, b }: Product): boolean {
  const { strides, shape } = b.view;
  const along = strides
    .slice(strides.length - axes.columns)
    .filter((_, i) => shape[shape.length - axes.columns + i] > 1);
  return rows > 1 || along.at(-1) !== 1;
}

/** A product that isn't one of a batch, worth sharing out by its rows: each part packs all of the right operand. */
export function isByRows(product: Product): boolean {
  const { batch, rows, columns, depth } = product;
  if (depth === 0 || sizeOf(batch) > 1) return false;
  return rows >= columns && rows >= 2 * rowBlock && rightBytes(product) <= mostOwnBytes;
}

/** What a product in a group packs whole, before the first block: by rows the right operand. */
export const panelBytes = (product: Product): number =>
  isTiled(product) && isByRows(product) ? rightBytes(product) : 0;
