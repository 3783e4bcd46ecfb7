// How far what is read reaches into an array, told by the strides of its views.
import { type KernelInput, walksOf } from "../../kernels/kernel.ts";

/**
 * Of an array [..., rows, columns], the last row and the last column that an input reads, whatever it reads of other axes; null where its strides don't show
 * them: where it has bounds, goes backward, or goes from one row into the next as if they were one.
 */
export function reachOf(
  input: KernelInput,
  rows: number,
  columns: number,
): { readonly row: number; readonly column: number } | null {
  const { offset, bounds } = input.view;
  if (offset < 0 || bounds.some(Boolean)) return null;
  let row = Math.floor(offset / columns) % rows;
  let column = offset % columns;
  for (const { extent, stride } of walksOf(input)) {
    const distance = (extent - 1) * stride;
    if (distance < 0) return null;
    if (stride % (rows * columns) === 0) continue;
    if (stride % columns === 0) row += distance / columns;
    else column += distance;
  }
  return row < rows && column < columns ? { row, column } : null;
}
