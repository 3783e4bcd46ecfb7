// A backend whose memory is plain typed arrays: an arena a plan, kernels one after another. `reference` and the gpujs backends differ only
// in how a kernel gets its runner.
import type { Kernel } from "../../kernels/kernel.ts";
import type { Plan } from "../compile/plan.ts";
import { type DType, makeArray, type TypedArray } from "../core/dtype.ts";
import { BackendError } from "../core/errors.ts";
import type { Backend, Buffer, Executable, ReproducibilityClass, Run } from "./contract.ts";

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

interface HostBuffer extends Buffer {
  array: TypedArray | null;
}

function arrayOf(backend: string, buffer: Buffer): TypedArray {
  const { array } = buffer as HostBuffer;
  if (!array) throw new BackendError({ where: backend, problem: "a buffer was used after it was freed" });
  return array;
}

/** The backend over a family of kernel runners. */
export function hostBackend(family: KernelFamily): Backend {
  return {
    name: family.name,
    class: family.class,
    threads: 1,
    allocate(dtype: DType, size: number): Buffer {
      return { dtype, size, array: makeArray(dtype, size) } as HostBuffer;
    },
    write(buffer, data) {
      const array = arrayOf(family.name, buffer);
      if (data.length !== array.length)
        throw new BackendError({
          where: `${family.name}.write`,
          problem: "sizes differ",
          got: String(data.length),
          expected: String(array.length),
        });
      array.set(data);
    },
    async read(buffer) {
      return arrayOf(family.name, buffer).slice();
    },
    free(buffer) {
      (buffer as HostBuffer).array = null;
    },
    load: (plan) => new HostExecutable(plan, family),
    dispose: () => family.dispose?.(),
  };
}

class HostExecutable implements Executable {
  readonly plan: Plan;
  readonly #name: string;
  readonly #runners: KernelRunner[];
  readonly #fixed: (TypedArray | null)[];

  constructor(plan: Plan, family: KernelFamily) {
    this.plan = plan;
    this.#name = family.name;
    const arena = new ArrayBuffer(plan.arenaBytes);
    this.#fixed = plan.values.map(({ dtype, size, place }) =>
      place.kind === "constant"
        ? place.data
        : place.kind === "arena"
          ? makeArray(dtype, size, arena, place.offset)
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
      return arrayOf(this.#name, (place.kind === "input" ? inputs : outputs)[(place as { index: number }).index]);
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
