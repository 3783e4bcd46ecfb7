// Reading by indices that are data. An index outside the axis is an error of the run.
import { type Along, placeAt } from "../../../kernels/indexed.ts";
import { OutOfRange } from "../../../kernels/range.ts";
import type { TypedArray } from "../../core/dtype.ts";

/** out[i] = x at the place of index i. */
export function gatherAlong(along: Along, x: TypedArray, indices: TypedArray, out: TypedArray): void {
  const place = placeAt(along, indices);
  for (let i = 0; i < indices.length; i++) out[i] = x[place(i)];
}

/** out[i] = x at places[i] and `stride` times index i further. */
export function gatherFrom(
  x: TypedArray,
  places: Int32Array,
  { extent, stride }: { readonly extent: number; readonly stride: number },
  indices: TypedArray,
  out: TypedArray,
): void {
  for (let i = 0; i < out.length; i++) {
    const index = indices[i];
    if (index < 0 || index >= extent) throw new OutOfRange(`${index} at position ${i}`, extent);
    out[i] = x[places[i] + index * stride];
  }
}
