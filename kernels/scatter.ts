// Writing by indices that are data.
import { sizeOf } from "../src/core/shape.ts";
import { placeAt } from "./indexed.ts";
import type { KernelBase, Kind } from "./kernel.ts";

/** out = zeros; out[…indices[…i…]…] += or = updates[…i…], by destination, in ascending row-major position of the update. Inputs: indices, updates. */
export interface ScatterKernel extends KernelBase {
  readonly kind: "scatter";
  readonly axis: number;
  /** Updates of one destination add up, or the last of them stays. */
  readonly combine: "sum" | "last";
}

const updatesOf = ({ inputs }: ScatterKernel) => sizeOf(inputs[1].view.shape);

/** Updates written in ascending or in descending position. */
const writing =
  (isAscending: boolean): Kind<ScatterKernel>["compute"] =>
  (kernel) =>
  ([indices, updates], out) => {
    const { axis, shape, combine, inputs } = kernel;
    const place = placeAt({ axis, shape: inputs[0].view.shape, extent: shape[axis] }, indices);
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
  indices: (kernel) => [{ at: kernel.inputs[0], extent: kernel.shape[kernel.axis] }],
  otherOrder: {
    text: "contributions in descending position, in place of ascending",
    compute: writing(false),
  },
};
