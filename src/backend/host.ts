// A backend whose memory is plain typed arrays: an arena a plan, kernels one after another. The gpujs backends and the
// kernel interpreter differ only in how a kernel gets its runner.
import type { Kernel } from "../../kernels/kinds.ts";
import type { Backend, Buffer, Executable, ReproducibilityClass, Run } from "../compile/contract.ts";
import type { Plan } from "../compile/plan.ts";
import { plainTarget, type Target } from "../compile/target.ts";
import { makeArray, type TypedArray } from "../core/dtype.ts";
import { schedulePlan } from "../schedule/schedule.ts";
import { hostMemory } from "./memory.ts";

/** What a kernel's runner is given: the elements of the plan's values, and where its draws are. */
export interface KernelCall {
  /** The elements of a value, whole; writing the kernel's output value is what a runner does. */
  array(value: number): TypedArray;
  readonly seed: bigint;
  /** The absolute offset that the plan's draws are relative to. */
  readonly base: number;
}

/** A kernel made ready; everything it computes beforehand it keeps. */
export interface KernelRunner {
  run(call: KernelCall): void | Promise<void>;
  /** Who runs it, and the generated source if there is one. */
  readonly where: string;
  readonly source?: string;
  dispose?(): void;
}

/** How a backend makes runners; `plan` gives the dtypes and sizes of values. */
export interface KernelFamily {
  readonly name: string;
  readonly class: ReproducibilityClass;
  prepare(kernel: Kernel, plan: Plan): KernelRunner;
  dispose?(): void;
}

/** Kernels run as they are, on floats of 32 bits. */
const target: Target = { ...plainTarget, words: true };

/** The backend over a family of kernel runners. */
export function hostBackend(family: KernelFamily): Backend {
  const { arrayOf, ...memory } = hostMemory(family.name);
  return {
    name: family.name,
    class: family.class,
    threads: 1,
    target,
    ...memory,
    load: (plan) => new HostExecutable(plan, family, arrayOf),
    dispose: () => family.dispose?.(),
  };
}

class HostExecutable implements Executable {
  readonly plan: Plan;
  readonly scratchBytes = 0;
  readonly #arrayOf: (buffer: Buffer) => TypedArray;
  readonly #runners: KernelRunner[];
  readonly #fixed: (TypedArray | null)[];

  constructor(plan: Plan, family: KernelFamily, arrayOf: (buffer: Buffer) => TypedArray) {
    this.plan = plan;
    this.#arrayOf = arrayOf;
    const { offsets, arenaBytes } = schedulePlan(plan, target);
    const arena = new ArrayBuffer(arenaBytes);
    this.#fixed = plan.values.map(({ dtype, size, place }, value) =>
      place.kind === "constant"
        ? place.data
        : place.kind === "temporary"
          ? makeArray(dtype, size, arena, offsets.get(value))
          : null,
    );
    this.#runners = plan.kernels.map((kernel) => family.prepare(kernel, plan));
  }

  get sources(): Executable["sources"] {
    return this.#runners.map(({ where, source }, kernel) => ({ kernel, where, source }));
  }

  async run({ inputs, outputs, seed, base }: Run): Promise<void> {
    const array = (value: number): TypedArray => {
      const fixed = this.#fixed[value];
      if (fixed) return fixed;
      const { place } = this.plan.values[value];
      return this.#arrayOf((place.kind === "input" ? inputs : outputs)[(place as { index: number }).index]);
    };
    const call: KernelCall = { array, seed, base };
    for (const runner of this.#runners) {
      const pending = runner.run(call);
      if (pending) await pending;
    }
    for (const { from, output } of this.plan.copies) {
      if (array(from) !== array(output)) array(output).set(array(from));
    }
  }

  dispose(): void {
    for (const runner of this.#runners) runner.dispose?.();
  }
}
