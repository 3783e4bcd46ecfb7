// What a backend is: it owns memory and runs whole plans. Everything above speaks this contract only; every backend here gives the same
// bits, or says by its class that it can't promise to.

import type { DType, TypedArray } from "../core/dtype.ts";
import type { Plan } from "./plan.ts";
import type { Target } from "./target.ts";

/** A: same bits on any machine by construction. B: certified per device by a probe. C: not certified. */
export type ReproducibilityClass = "A" | "B" | "C";

/** Memory that belongs to a backend: the elements of one tensor. */
export interface Buffer {
  readonly dtype: DType;
  readonly size: number;
}

/** What one run of a plan is given. */
export interface Run {
  /** A buffer for each of the plan's inputs, in order. */
  readonly inputs: readonly Buffer[];
  /** A buffer for each of the plan's outputs; for state, the same buffer as the input's. */
  readonly outputs: readonly Buffer[];
  /** The stream's seed and the absolute offset that the plan's draws are relative to. */
  readonly seed: bigint;
  readonly base: number;
}

/** A plan made ready on a backend. */
export interface Executable {
  readonly plan: Plan;
  /** Memory that a run takes beside the plan's arena: what kernels keep to themselves, of all threads. */
  readonly scratchBytes: number;
  /** Runs every kernel once; resolves when the outputs hold their values. Throws ShapeError for an index out of range. */
  run(run: Run): void | Promise<void>;
  /** Gives up what the executable holds. */
  dispose(): void;
  /** The generated source of each kernel, where there is one: what `explain` shows. */
  readonly sources: readonly { readonly kernel: number; readonly where: string; readonly source?: string }[];
}

export interface Backend {
  /** As on the command line: `reference`, `gpujs:webasm` … */
  readonly name: string;
  readonly class: ReproducibilityClass;
  /** How many threads it runs on. */
  readonly threads: number;
  /** What plans are scheduled for. */
  readonly target: Target;
  /** Makes memory for `size` elements, zero-filled. */
  allocate(dtype: DType, size: number): Buffer;
  /** Copies elements in; `data` has exactly the buffer's size. */
  write(buffer: Buffer, data: TypedArray): void;
  /** Copies elements out. */
  read(buffer: Buffer): Promise<TypedArray>;
  /** Returns the memory; the buffer isn't used again. */
  free(buffer: Buffer): void;
  /** Makes a plan ready: compiles its kernels. */
  load(plan: Plan): Executable | Promise<Executable>;
  /** Ends threads and gives back all memory. */
  dispose(): void | Promise<void>;
}
