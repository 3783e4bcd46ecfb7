// A product that reads what was copied for it where it was copied from.
import type { KernelInput, LoopKernel } from "../../kernels/kernel.ts";
import { asProduct } from "../../kernels/product.ts";
import type { View } from "../../kernels/view.ts";
import { type Shape, stridesOf } from "../core/shape.ts";
import { readThrough } from "./through.ts";

/** The product with one of its operands, which another kernel copies, read where it is copied from; null where that can't be. Its axes become those of the copy. */
export function uncopied(kernel: LoopKernel, copy: LoopKernel): LoopKernel | null {
  const own = kernel.inputs.filter(({ source }) => source === copy.output);
  const parts = own.length === 1 ? partsOf(own[0].view, copy.shape) : null;
  if (!parts) return null;
  const shape = parts.flat();
  const inputs = kernel.inputs.map((input): KernelInput => {
    const strides = parts.flatMap((extents, axis) =>
      stridesOf(extents).map((steps) => steps * input.view.strides[axis]),
    );
    return { ...input, view: { ...input.view, shape, strides, bounds: shape.map(() => null) } };
  });
  const rank = kernel.shape.length;
  const fold = { ...kernel.fold!, reduced: parts.slice(rank).flat() };
  const changed = readThrough({ ...kernel, shape: parts.slice(0, rank).flat(), inputs, fold }, copy);
  return changed && asProduct(changed) && changed;
}

/** For each axis of a view of a copy: the extents of the copy's axes that it runs over, each whole; null where it runs otherwise. */
function partsOf({ shape, strides, offset }: View, copy: Shape): Shape[] | null {
  if (offset !== 0) return null;
  const steps = stridesOf(copy);
  const free = new Set([...copy.keys()].filter((axis) => copy[axis] > 1));
  const parts = shape.map((extent, axis): Shape | null => {
    if (extent === 1 || strides[axis] === 0) return [extent];
    const last = [...free].find((each) => steps[each] === strides[axis]);
    if (last === undefined) return null;
    const run: number[] = [];
    let points = 1;
    for (let each = last; each >= 0 && points < extent; each--) {
      if (copy[each] === 1) continue;
      if (!free.delete(each)) return null;
      run.unshift(copy[each]);
      points *= copy[each];
    }
    return points === extent ? run : null;
  });
  return parts.includes(null) ? null : (parts as Shape[]);
}
