// Places that indices which are data say.
import type { TypedArray } from "../src/core/dtype.ts";
import { type Shape, sizeOf } from "../src/core/shape.ts";
import { OutOfRange } from "./range.ts";

/** Along which axis, the shape of the indices, and how long the axis is on the other side. */
export interface Along {
  readonly axis: number;
  readonly shape: Shape;
  readonly extent: number;
}

/** The place of the index at a position in an array that differs from the indices' shape by `extent` on the axis. Throws ShapeError for one out of range. */
export function placeAt({ axis, shape, extent }: Along, indices: TypedArray): (position: number) => number {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = inner * shape[axis];
  return (position) => {
    const index = indices[position];
    if (index < 0 || index >= extent) throw new OutOfRange(`${index} at position ${position}`, extent);
    return (Math.floor(position / outer) * extent + index) * inner + (position % inner);
  };
}
