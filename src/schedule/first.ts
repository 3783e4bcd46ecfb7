// Sorts of whose lines only the first few are read, as topK's: the others need not be put in order. Which element is where stays as it was.
import { kernelInputs } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { ownTemporaries, type Plan } from "../compile/plan.ts";
import { sizeOf } from "../core/shape.ts";
import { reachOf } from "./reach.ts";

/** The kernels, with what is read of each sort. */
export function keepFirst(plan: Plan, kernels: readonly Kernel[]): readonly Kernel[] {
  const isOwn = ownTemporaries(plan.values);
  const inputs = kernels.flatMap(kernelInputs);
  return kernels.map((kernel) => {
    if (kernel.kind !== "sort" || !isOwn(kernel.output)) return kernel;
    const { output, shape, axis } = kernel;
    const count = shape[axis];
    const step = sizeOf(shape.slice(axis + 1));
    const readings = inputs.filter(({ source }) => source === output);
    const lasts = readings.map((input) => reachOf(input, count, step)?.row ?? count);
    const kept = Math.max(0, ...lasts) + 1;
    return kept < count ? { ...kernel, kept } : kernel;
  });
}
