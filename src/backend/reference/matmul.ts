// Matrix products in the written order: k ascending in chunks of 256 from +0, multiply, round, add, round, chunk sums ascending.
import { chunkSize } from "../../../kernels/kernel.ts";
import type { TypedArray } from "../../core/dtype.ts";

/** out[n, i, j] = Σₖ a[n, i, k]·b[n, k, j]. The loops run over whole rows of outputs; each output's own order is the written one. */
export function multiply(
  a: TypedArray,
  b: TypedArray,
  out: TypedArray,
  { batch, rows, depth, columns }: { batch: number; rows: number; depth: number; columns: number },
): void {
  const sums = new Float32Array(columns);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < rows; i++) {
      const row = out.subarray((n * rows + i) * columns, (n * rows + i + 1) * columns);
      // In a statement of its own: what Firefox 153 compiles of `subarray(…).fill(0)` computes wrong rows.
      row.fill(0);
      for (let chunk = 0; chunk < depth; chunk += chunkSize) {
        sums.fill(0);
        const end = Math.min(chunk + chunkSize, depth);
        for (let k = chunk; k < end; k++) addRow(sums, a[(n * rows + i) * depth + k], b, (n * depth + k) * columns);
        for (let j = 0; j < columns; j++) row[j] += sums[j];
      }
    }
  }
}

/** sums[j] += factor·b[from + j]; each product is rounded before it is added. */
function addRow(sums: Float32Array, factor: number, b: TypedArray, from: number): void {
  for (let j = 0; j < sums.length; j++) sums[j] += Math.fround(factor * b[from + j]);
}
