// Places that indices which are data say.
import type { TypedArray } from "../src/core/dtype.ts";
import { type Shape, sizeOf } from "../src/core/shape.ts";
import { type Asked, outOfRange } from "./range.ts";

/** Along which axis, the shape of the indices, how long the axis is on the other side, and who asks. */
export interface Along extends Asked {
  readonly axis: number;
  readonly shape: Shape;
}

/** The place of the index at a position in an array that differs from the indices' shape by `extent` on the axis. Throws ShapeError for one out of range. */
export function placeAt(
  { axis, shape, extent, where, site }: Along,
  indices: TypedArray,
): (position: number) => number {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = inner * shape[axis];
  return (position) => {
    const index = indices[position];
    if (index < 0 || index >= extent) throw outOfRange(`${index} at position ${position}`, { extent, where, site });
    return (Math.floor(position / outer) * extent + index) * inner + (position % inner);
  };
}
