// A backend whose memory is plain typed arrays: an arena a plan, kernels one after another. The gpujs backends and the
// kernel interpreter differ only in how a kernel gets its runner.

import { kernelInputs, type Repeat } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import type { Backend, Buffer, Executable, ReproducibilityClass, Run } from "../compile/contract.ts";
import { type Nested, nested, positionOf } from "../compile/nested.ts";
import { type Plan, partStart } from "../compile/plan.ts";
import { plainTarget, type Target } from "../compile/target.ts";
import { makeArray, type TypedArray } from "../core/dtype.ts";
import { importing } from "../core/lazy.ts";
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
  /** Who runs it, the generated source if there is one, and why it doesn't run where others of its family do. */
  readonly where: string;
  readonly source?: string;
  readonly fault?: string;
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
    load: (plan) => importing(() => new HostExecutable(plan, family, arrayOf)),
    dispose: () => family.dispose?.(),
  };
}

interface Numbered {
  readonly number: number;
  readonly runner: KernelRunner;
}

class HostExecutable implements Executable {
  readonly plan: Plan;
  readonly scratchBytes = 0;
  readonly #arrayOf: (buffer: Buffer) => TypedArray;
  readonly #runners: KernelRunner[];
  readonly #order: readonly Nested<Numbered>[];
  readonly #fixed: (TypedArray | null)[];

  constructor(plan: Plan, family: KernelFamily, arrayOf: (buffer: Buffer) => TypedArray) {
    this.plan = plan;
    this.#arrayOf = arrayOf;
    const { offsets, arenaBytes } = schedulePlan(plan, target);
    const arena = new ArrayBuffer(arenaBytes);
    this.#fixed = plan.values.map(({ dtype, size, place }, value) => {
      if (place.kind === "constant") return place.data;
      // A copy that no kernel makes any more has no place.
      return offsets.has(value) ? makeArray(dtype, size, arena, offsets.get(value)) : null;
    });
    this.#runners = plan.kernels.map((kernel) => family.prepare(kernel, plan));
    this.#order = nested(
      this.#runners.map((runner, number): Numbered => ({ number, runner })),
      ({ number }) => plan.kernels[number].repeat,
    );
  }

  get sources(): Executable["sources"] {
    return this.#runners.map(({ where, source, fault }, kernel) => ({ kernel, where, source, fault }));
  }

  async run({ inputs, outputs, seed, base, probe }: Run): Promise<void> {
    const { values } = this.plan;
    const positions = new Map<Repeat, number>();
    const array = (value: number): TypedArray => {
      const fixed = this.#fixed[value];
      if (fixed) return fixed;
      const { place, size } = values[value];
      if (place.kind === "part") {
        const from = partStart(place, place.repeat ? positions.get(place.repeat)! : 0);
        return array(place.of).subarray(from, from + size);
      }
      return this.#arrayOf((place.kind === "input" ? inputs : outputs)[(place as { index: number }).index]);
    };
    const isFirst = (repeat?: Repeat): boolean =>
      !repeat || (positions.get(repeat) === positionOf(repeat, 0) && isFirst(repeat.within));
    const isSeen = (number: number) => probe?.kernels.has(number) && isFirst(this.plan.kernels[number].repeat);
    const runAll = async (order: readonly Nested<Numbered>[], base: number): Promise<void> => {
      const call: KernelCall = { array, seed, base };
      for (const each of order) {
        if ("item" in each) {
          const { number, runner } = each.item;
          const elements = isSeen(number) && this.#read(number, array);
          const pending = runner.run(call);
          if (pending) await pending;
          if (elements) {
            const { output } = this.plan.kernels[number];
            probe!.seen(number, elements.set(output, array(output)), base);
          }
          continue;
        }
        const { repeat, body } = each;
        for (let turn = 0; turn < repeat.count; turn++) {
          const position = positionOf(repeat, turn);
          positions.set(repeat, position);
          await runAll(body, base + position * repeat.draws);
        }
      }
    };
    await runAll(this.#order, base);
  }

  /** What a kernel is about to read. */
  #read(number: number, array: KernelCall["array"]): Map<number, TypedArray> {
    const sources = kernelInputs(this.plan.kernels[number]).map(({ source }) => source);
    return new Map(
      sources.flatMap((source) => (typeof source === "number" ? [[source, array(source).slice()] as const] : [])),
    );
  }

  dispose(): void {
    for (const runner of this.#runners) runner.dispose?.();
  }
}
