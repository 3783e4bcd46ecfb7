// Adding by indices that are data, as GPU.js source; and what holds for reading by them too: a kernel never stops in the middle, so the indices
// are checked on the host before it runs.

import type { KernelInput } from "../../../kernels/kernel.ts";
import type { ScatterKernel } from "../../../kernels/scatter.ts";
import { isContiguous, type View } from "../../../kernels/view.ts";
import type { TypedArray } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import { copyThrough } from "../reference/movement.ts";
import { assemble, coordinates, fits, indexText, type PrintedKernel } from "./printer.ts";

/** A printed scatter looks at every index along the axis for every element of its output: beyond this many looks plain loops over the updates are quicker. */
const looksLimit = 2 ** 22;

const readable = ({ dtype, view }: KernelInput) =>
  (dtype === "float32" || dtype === "bool") && fits(view) && view.bounds.every((bound) => !bound);
const indexing = ({ view }: KernelInput) => fits(view) && view.bounds.every((bound) => !bound);

/** out[point] = Σ of a1 over the positions along the axis whose index a0 is the point's coordinate, ascending from +0; undefined where updates don't add up, where it can't be printed, or isn't worth it. */
export function printScatter({
  axis,
  shape,
  combine,
  inputs: [indices, updates],
}: ScatterKernel): PrintedKernel | undefined {
  const looks = sizeOf(shape) * indices.view.shape[axis];
  if (combine !== "sum" || !readable(updates) || !indexing(indices) || looks === 0 || looks >= looksLimit)
    return undefined;
  const { lines, names } = coordinates("this.thread.x", shape, "i");
  const along = names.map((name, i) => (i === axis ? "c" : name));
  lines.push(
    `let place = ${shape[axis] === 1 ? "k[0]" : names[axis]};`,
    "let total = k[0];",
    `for (let c = 0; c < ${indices.view.shape[axis]}; c++) {`,
    `  let at = a0[${indexText(indices.view, along)}];`,
    `  let part = a1[${indexText(updates.view, along)}];`,
    "  total = at === place ? Math.fround(total + part) : total;",
    "}",
    "return total;",
  );
  return assemble([indices, updates], lines, { constants: [0], usesPowers: false });
}

/** A check that every index which the view reads lies in [0, extent). */
export function rangeCheck(view: View, extent: number): (indices: TypedArray) => boolean {
  // What is stretched is looked at once.
  const shape = view.shape.map((length, axis) => (view.strides[axis] === 0 ? Math.min(1, length) : length));
  const once: View = { ...view, shape };
  const scratch = new Int32Array(sizeOf(shape));
  return (indices) => {
    let read = indices;
    if (!isContiguous(once)) {
      copyThrough(once, indices, 0, scratch);
      read = scratch;
    }
    for (let i = 0; i < scratch.length; i++) if (read[i] < 0 || read[i] >= extent) return false;
    return true;
  };
}
