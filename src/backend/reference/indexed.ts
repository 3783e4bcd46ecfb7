// Reading and adding by indices that are data. An index outside the axis is an error of the run.
import type { TypedArray } from "../../core/dtype.ts";
import { ShapeError } from "../../core/errors.ts";
import { type Shape, sizeOf } from "../../core/shape.ts";

/** Along which axis, the shape of the indices, how long the axis is on the other side, and who asks. */
export interface Along {
  readonly axis: number;
  readonly shape: Shape;
  readonly extent: number;
  readonly where: string;
  readonly site?: string;
}

/** For each index its place in an array that differs from the indices' shape by `extent` on the axis, in row-major order of the indices. */
function forEachPlace({ axis, shape, extent, where, site }: Along, indices: TypedArray, visit: Visit): void {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = inner * shape[axis];
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (index < 0 || index >= extent) throw outOfRange(index, i, { extent, where, site });
    visit((Math.floor(i / outer) * extent + index) * inner + (i % inner), i);
  }
}

const outOfRange = (index: number, at: number, { extent, where, site }: Pick<Along, "extent" | "where" | "site">) =>
  new ShapeError({
    where,
    problem: "an index is out of range",
    got: `${index} at position ${at}`,
    expected: `an integer in [0, ${extent})`,
    hint: site && `the op was made at ${site}`,
  });

type Visit = (place: number, position: number) => void;

/** out[i] = x at the place of index i. */
export function gatherAlong(along: Along, x: TypedArray, indices: TypedArray, out: TypedArray): void {
  forEachPlace(along, indices, (place, position) => {
    out[position] = x[place];
  });
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
    if (index < 0 || index >= extent) throw outOfRange(index, i, { extent, where: "gather" });
    out[i] = x[places[i] + index * stride];
  }
}

/** Adds update i at the place of index i, in ascending position; `out` holds zeros before. */
export function scatterAlong(along: Along, indices: TypedArray, updates: TypedArray, out: TypedArray): void {
  forEachPlace(along, indices, (place, position) => {
    out[place] += updates[position];
  });
}
