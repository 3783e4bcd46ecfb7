// Writing by indices that are data, and what holds for reading by them too: an index outside the axis is an error of the run.
import type { TypedArray } from "../src/core/dtype.ts";
import { ShapeError } from "../src/core/errors.ts";
import { type Shape, sizeOf } from "../src/core/shape.ts";
import type { KernelBase, Kind } from "./kernel.ts";

/** out = zeros; out[…indices[…i…]…] += or = updates[…i…], by destination, in ascending row-major position of the update. Inputs: indices, updates. */
export interface ScatterKernel extends KernelBase {
  readonly kind: "scatter";
  readonly axis: number;
  /** Updates of one destination add up, or the last of them stays. */
  readonly combine: "sum" | "last";
}

/** Along which axis, the shape of the indices, how long the axis is on the other side, and who asks. */
export interface Along {
  readonly axis: number;
  readonly shape: Shape;
  readonly extent: number;
  readonly where: string;
  readonly site?: string;
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

/** What is thrown for an index out of range. */
export const outOfRange = (got: string, { extent, where, site }: Pick<Along, "extent" | "where" | "site">) =>
  new ShapeError({
    where,
    problem: "an index is out of range",
    got,
    expected: `an integer in [0, ${extent})`,
    hint: site && `the op was made at ${site}`,
  });

const whereOf = ({ combine }: ScatterKernel) => (combine === "sum" ? "scatterAdd" : "scatter");
const updatesOf = ({ inputs }: ScatterKernel) => sizeOf(inputs[1].view.shape);

/** Updates written in ascending or in descending position. */
const writing =
  (isAscending: boolean): Kind<ScatterKernel>["compute"] =>
  (kernel) =>
  ([indices, updates], out, { site }) => {
    const { axis, shape, combine, inputs } = kernel;
    const along = { axis, shape: inputs[0].view.shape, extent: shape[axis], where: whereOf(kernel), site };
    const place = placeAt(along, indices);
    const last = indices.length - 1;
    out.fill(0);
    for (let i = 0; i <= last; i++) {
      const position = isAscending ? i : last - i;
      const to = place(position);
      out[to] = combine === "sum" ? out[to] + updates[position] : updates[position];
    }
  };

export const scatter: Kind<ScatterKernel> = {
  compute: writing(true),
  work: updatesOf,
  flops: updatesOf,
  text: ({ axis, combine }) =>
    `out = zeros, ${combine === "sum" ? "plus" : "then"} b at index a on axis ${axis}, in ascending position`,
  indices: (kernel) => [{ at: kernel.inputs[0], extent: kernel.shape[kernel.axis], where: whereOf(kernel) }],
  otherOrder: {
    text: "contributions in descending position, in place of ascending",
    compute: writing(false),
  },
};
