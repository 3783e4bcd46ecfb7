// A product that reads what was copied for it where it was copied from.
import { type KernelInput, type LoopKernel, loopShape } from "../../kernels/kernel.ts";
import { asProduct } from "../../kernels/product.ts";
import { type Shape, stridesOf } from "../core/shape.ts";

/** An axis as those of a copy that it runs over: their extents, and the strides of what was copied. */
interface Parts {
  readonly extents: Shape;
  readonly strides: readonly number[];
}

/** The product with one of its operands, a copy of `source`, read where it was copied from; null where that can't be. */
export function uncopied(kernel: LoopKernel, copy: number, source: KernelInput): LoopKernel | null {
  const own = kernel.inputs.filter((input) => input.source === copy);
  const shape = loopShape(kernel);
  if (own.length !== 1) return null;
  const parts = partsOf(own[0], shape, source);
  if (!parts) return null;
  const rank = kernel.shape.length;
  const split = (from: number, to: number): Shape => parts.slice(from, to).flatMap(({ extents }) => extents);
  const whole = split(0, parts.length);
  const bounds = whole.map(() => null);
  const inputs = kernel.inputs.map((input): KernelInput => {
    if (input.source === copy) {
      const strides = parts.flatMap((each) => each.strides);
      return { ...source, view: { shape: whole, strides, bounds, offset: source.view.offset } };
    }
    const strides = parts.flatMap(({ extents }, axis) =>
      stridesOf(extents).map((steps) => steps * input.view.strides[axis]),
    );
    return { ...input, view: { shape: whole, strides, bounds, offset: input.view.offset } };
  });
  const changed: LoopKernel = {
    ...kernel,
    shape: split(0, rank),
    inputs,
    fold: { ...kernel.fold!, reduced: split(rank, parts.length) },
  };
  return asProduct(changed) && changed;
}

/** For each axis of a loop that reads a copy: the axes of the copy that it runs over, each whole; null where it runs otherwise. */
function partsOf(
  { view }: KernelInput,
  shape: Shape,
  { view: { shape: extents, strides } }: KernelInput,
): Parts[] | null {
  if (view.offset !== 0) return null;
  const steps = stridesOf(extents);
  const free = new Set([...extents.keys()].filter((axis) => extents[axis] > 1));
  const parts = shape.map((extent, axis): Parts | null => {
    if (extent === 1 || view.strides[axis] === 0) return { extents: [extent], strides: [0] };
    const last = [...free].find((each) => steps[each] === view.strides[axis]);
    if (last === undefined) return null;
    const run: number[] = [];
    let points = 1;
    for (let each = last; each >= 0 && points < extent; each--) {
      if (extents[each] === 1) continue;
      if (!free.delete(each)) return null;
      run.unshift(each);
      points *= extents[each];
    }
    return points === extent
      ? { extents: run.map((each) => extents[each]), strides: run.map((each) => strides[each]) }
      : null;
  });
  return parts.includes(null) ? null : (parts as Parts[]);
}
