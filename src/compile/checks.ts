// Which kernels may end a run: state is written after them, so that a run that ends early leaves it as it was.
import type { KernelInput } from "../../kernels/kernel.ts";
import { type Kernel, kernelIndices } from "../../kernels/kinds.ts";
import { keyOf } from "./fused.ts";

/** Indices, and the extent that they are held against. */
export const rangeKey = (indices: KernelInput, extent: number) =>
  `${keyOf(indices)} [${indices.view.shape}] below ${extent}`;

/** The last kernel that may refuse an index, −1 if none may: what a kernel before has found in range is in range. */
export function lastCheck(kernels: readonly Kernel[]): number {
  const inRange = new Set<string>();
  let last = -1;
  kernels.forEach((kernel, number) => {
    for (const { at, extent } of kernelIndices(kernel)) {
      const key = rangeKey(at, extent);
      if (!inRange.has(key)) last = number;
      inRange.add(key);
    }
  });
  return last;
}
