// The kinds of kernel that there are: the loop, and the few that no loop with a fold is, which come with a graph that has one.
import { LazyModule } from "../src/core/lazy.ts";
import type { CheckedIndex, Kind, LoopKernel } from "./kernel.ts";
import type * as special from "./special.ts";

/** The kinds beside the loop. Whoever lowers a graph has those of its plan at hand. */
export const specialKinds = new LazyModule(() => import("./special.ts"));

type Kinds = typeof special;

export type SpecialKind = keyof Kinds;

/** A kernel that isn't a loop. */
export type SpecialKernel<K extends SpecialKind = SpecialKind> = Parameters<Kinds[K]["work"]>[0];

export type Kernel = LoopKernel | SpecialKernel;

/** What is asked of the kernel's kind. */
export function kindOf<K extends SpecialKernel>({ kind }: K): Kind<K> {
  return specialKinds.module[kind] as unknown as Kind<K>;
}

/** The indices that may be out of range. */
export function kernelIndices(kernel: Kernel): readonly CheckedIndex[] {
  if (kernel.kind !== "loop") return kindOf(kernel).indices?.(kernel) ?? [];
  return kernel.inputs.flatMap(({ index }) => index ?? []);
}
