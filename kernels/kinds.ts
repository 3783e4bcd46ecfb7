// The kinds of kernel that there are: the loop, and the few that no loop with a fold is, a line each.
import { assemble } from "./assemble.ts";
import { scatter } from "./indexed.ts";
import type { CheckedIndex, Kind, LoopKernel } from "./kernel.ts";
import { prefix } from "./prefix.ts";
import { random } from "./sampler.ts";
import { sort } from "./sort.ts";

const kinds = { scatter, assemble, random, prefix, sort };

export type SpecialKind = keyof typeof kinds;

/** A kernel that isn't a loop. */
export type SpecialKernel<K extends SpecialKind = SpecialKind> = Parameters<(typeof kinds)[K]["work"]>[0];

export type Kernel = LoopKernel | SpecialKernel;

/** What is asked of the kernel's kind. */
export function kindOf<K extends SpecialKernel>({ kind }: K): Kind<K> {
  return kinds[kind] as unknown as Kind<K>;
}

/** The indices that may be out of range. */
export function kernelIndices(kernel: Kernel): readonly CheckedIndex[] {
  if (kernel.kind !== "loop") return kindOf(kernel).indices?.(kernel) ?? [];
  return kernel.inputs.flatMap(({ index }) => (index ? [{ ...index, where: "gather" }] : []));
}
