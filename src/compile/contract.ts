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
  /** Backends of class B heed it. */
  readonly probe?: Probe;
  readonly repairs?: Repairs;
}

/** Kernels of a run whose elements someone wants to see. */
export interface Probe {
  /** By number. */
  readonly kernels: ReadonlySet<number>;
  /** Called after a kernel has run, of a repeated one for its first position: the elements of all values that it read, as they were before it, and of its output; and what its draws were counted from. What it throws ends the run. */
  seen(kernel: number, elements: ReadonlyMap<number, TypedArray>, base: number): void;
}

/** How much a run may compute again of what a device isn't sure of: all, where none is given. */
export interface Repairs {
  /** Scalar operations, about, for each kernel. */
  readonly most: number;
  /** Called after the run, where outputs were left as they had been: how many. */
  left(outputs: number): void;
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
  /** Of each kernel, who runs it: what `explain` shows. */
  readonly sources: readonly KernelSource[];
}

/** Who runs a kernel of a plan. */
export interface KernelSource {
  /** Its number in the plan. */
  readonly kernel: number;
  readonly where: string;
  /** As it was generated, where that is text. */
  readonly source?: string;
  /** What of it the backend's device failed, which is why it runs elsewhere. */
  readonly fault?: string;
}

/** One thing that was computed on a device and by class A. */
export interface Trial {
  /** The operation, or the kernel: `mul, then add`, `matmul [64, 128] over [784]`. */
  readonly name: string;
  /** Of the class A result's canonical bytes, over all inputs that were tried. */
  readonly sha256: string;
  /** The first element with other bits, or what went wrong. What has this runs on another backend, of class A. */
  readonly fault?: string;
}

/** What a device was found to compute, compared with class A: why a backend of class B may be relied on. It grows as plans are loaded. */
export interface Certificate {
  /** The device, as its driver names it. */
  readonly device: string;
  readonly numericsId: string;
  /** Single operations, and sequences that a compiler may change. */
  readonly primitives: readonly Trial[];
  /** Kernels of the plans that were loaded, each as it is printed for them. */
  readonly kernels: readonly Trial[];
  /** Which share of the kernels that ran were looked at by the way, each at a tile that was computed again, and how many were. */
  readonly audit: { readonly share: number; readonly tiles: number };
}

/** Whether a backend gives class A's bits: by its class, or since its device was tried and all that failed runs elsewhere. */
export const isReliable = ({ class: kind, certificate }: Pick<Backend, "class" | "certificate">): boolean =>
  kind === "A" || (kind === "B" && certificate !== undefined);

export interface Backend {
  /** As on the command line: `reference`, `gpujs:webasm` … */
  readonly name: string;
  readonly class: ReproducibilityClass;
  /** Of class B, where the device was tried: as it is by now. */
  readonly certificate?: Certificate;
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
