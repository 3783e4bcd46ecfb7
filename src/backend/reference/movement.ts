// Movement: elements through a view of a contiguous array, copied to their places one by one.
import { isContiguous, type View } from "../../../kernels/view.ts";
import type { TypedArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";

/** Whether the moved elements are the source's, all and in order: then the source itself will do. */
export function movesNothing(view: View, sourceSize: number): boolean {
  return sizeOf(view.shape) === sourceSize && isContiguous(view);
}

/** out[p] = source at the view's point p, or `fill` where the view's bounds leave p out. */
export function copyThrough(view: View, source: TypedArray, fill: number, out: TypedArray): void {
  const { shape, strides, bounds } = view;
  const low = shape.map((_, axis) => Math.max(0, bounds[axis]?.[0] ?? 0));
  const high = shape.map((extent, axis) => Math.min(extent, bounds[axis]?.[1] ?? extent));
  if (bounds.some(Boolean)) out.fill(fill);
  const last = shape.length - 1;
  const walk = (axis: number, from: number, to: number) => {
    if (axis > last) {
      out[to] = source[from];
    } else if (axis === last) {
      const stride = strides[axis];
      const start = to * shape[axis];
      for (let i = low[axis]; i < high[axis]; i++) out[start + i] = source[from + i * stride];
    } else {
      for (let i = low[axis]; i < high[axis]; i++) walk(axis + 1, from + i * strides[axis], to * shape[axis] + i);
    }
  };
  walk(0, view.offset, 0);
}
