// Sorts of whose lines only the first few are read, as topK's: the others need not be put in order. Which element is where stays as it was.
import { type KernelInput, kernelInputs, walksOf } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { type Plan, valuesInParts } from "../compile/plan.ts";
import { type Shape, sizeOf } from "../core/shape.ts";

/** The kernels, with what is read of each sort. */
export function keepFirst(plan: Plan, kernels: readonly Kernel[]): readonly Kernel[] {
  const inParts = valuesInParts(plan.values);
  const inputs = kernels.flatMap(kernelInputs);
  return kernels.map((kernel) => {
    const { output, kind } = kernel;
    if (kind !== "sort" || plan.values[output].place.kind !== "temporary") return kernel;
    if (inParts.has(output)) return kernel;
    const readings = inputs.filter(({ source }) => source === output);
    const kept = Math.max(1, ...readings.map((input) => readOf(input, kernel.shape, kernel.axis)));
    return kept < kernel.shape[kernel.axis] ? { ...kernel, kept } : kernel;
  });
}

/** Of a row-major array of the shape: how many elements along the axis are read, counted from the first; all where the view doesn't show it. */
function readOf(input: KernelInput, shape: Shape, axis: number): number {
  const { view } = input;
  const count = shape[axis];
  const step = sizeOf(shape.slice(axis + 1));
  if (view.bounds.some(Boolean)) return count;
  let last = Math.floor(view.offset / step) % count;
  let inner = view.offset % step;
  for (const { extent, stride } of walksOf(input)) {
    const distance = (extent - 1) * stride;
    if (distance === 0 || stride % (count * step) === 0) continue;
    if (distance < 0) return count;
    if (stride % step === 0) last += distance / step;
    else inner += distance;
  }
  return inner < step && last < count ? last + 1 : count;
}
