// The one door to gpu.js: a named mode, kernels from source strings, and the assertion that the mode which runs is the one that was named.
// gpu.js falls back to another mode with no more than a console message; here that is an error.
import { findGpu } from "#gpu";
import { BackendError, refuse } from "../../core/errors.ts";
import { adapterName } from "../webgpu/device.ts";

/** The modes whose bits are pinned, every operation being float32 or rounded to it; and webgpu, whose bits are the device's. */
export type Mode = "webasm" | "cpu" | "webgpu";

/** How many arrays a kernel takes in webgpu mode: one of the eight that WebGPU promises is the output. */
export const webgpuArrays = 7;

/** A kernel for arguments of the sizes it was made for. */
export interface GpuKernel {
  /** Flat float32 arrays in, the result out: the array may be written over by the next call. Compiles on the first. Throws BackendError where gpu.js fails or another mode than the named one answers. */
  run(...inputs: readonly Float32Array[]): Float32Array | Promise<Float32Array>;
  /** Says that the holder is done with it. */
  release(): void;
}

/** One GPU.js context. */
export interface Facade {
  /** In webgpu mode, the device as its driver names it. */
  readonly device?: string;
  /** The kernel of `source` for `size` outputs and arguments of `sizes` elements; equal ones are compiled once. */
  kernel(source: string, size: number, sizes: readonly number[]): GpuKernel;
  destroy(): void;
}

interface RawKernel {
  (...inputs: readonly Float32Array[]): Float32Array | Promise<Float32Array>;
  readonly kernel: { readonly constructor: { readonly mode?: string }; readonly fallbackReason?: string | null };
  destroy(): void;
}

/** The part of gpu.js's GPU that is used. */
export interface RawGpu {
  createKernel(source: string, settings: object): RawKernel;
  destroy(): Promise<void> | void;
  /** Every kernel that was made; `destroy` of a cpu kernel leaves it here. */
  readonly kernels?: unknown[];
}

/** Kernels that nobody holds are kept for their next use, this many: each has memory of its own for its arguments. */
const idleLimit = 64;

/** Opens GPU.js in a mode. Imports it now, and not before. Throws BackendError where it doesn't start. */
export async function openGpu(mode: Mode): Promise<Facade> {
  const { GPU } = (await import("gpu.js")) as unknown as { GPU: new (settings: object) => RawGpu };
  const open = () =>
    facadeOver(
      attempt(mode, () => new GPU({ mode })),
      mode,
    );
  return mode === "webgpu" ? withEntry(open) : open();
}

/** Opens in webgpu mode, and runs a kernel, while the entry to WebGPU is where gpu.js looks for it: from then on gpu.js has its device. */
async function withEntry(open: () => Facade): Promise<Facade> {
  const entry = await findGpu();
  if (typeof entry === "string") {
    const problem = "there is no WebGPU here";
    refuse(BackendError, "gpujs:webgpu", problem, entry, undefined, "gpujs:webasm runs the same kernels");
  }
  const holder = globalThis as { navigator?: object };
  const had = Object.getOwnPropertyDescriptor(holder, "navigator");
  const own = (holder.navigator as { gpu?: unknown } | undefined)?.gpu;
  if (!own) Object.defineProperty(holder, "navigator", { value: { gpu: entry }, configurable: true, writable: true });
  try {
    const facade = open();
    const kernel = facade.kernel("function (a) { return a[this.thread.x]; }", 1, [1]);
    await kernel.run(Float32Array.of(1));
    kernel.release();
    return { ...facade, device: adapterName((await entry.requestAdapter())!.info) };
  } finally {
    if (!own && had) Object.defineProperty(holder, "navigator", had);
    else if (!own) delete holder.navigator;
  }
}

/** The facade over a GPU object: apart, so that a test can hand in one that falls back. */
export function facadeOver(gpu: RawGpu, mode: Mode): Facade {
  interface Compiled {
    /** Undefined once its memory was given to others, until its next use. */
    raw: RawKernel | undefined;
    holders: number;
  }
  const kernels = new Map<string, Compiled>();
  const idle = new Set<string>();
  const compile = (source: string, size: number): RawKernel =>
    // The default cap of 1000 iterations silently truncates loops.
    gpu.createKernel(source, { output: [size], precision: "single", loopMaxIterations: 2 ** 31 - 1 });
  const free = (compiled: Compiled) => {
    const { raw } = compiled;
    if (!raw) return;
    const at = gpu.kernels?.indexOf(raw.kernel) ?? -1;
    raw.destroy();
    if (at >= 0 && gpu.kernels![at] === raw.kernel) gpu.kernels!.splice(at, 1);
    compiled.raw = undefined;
  };
  const discard = (key: string) => {
    free(kernels.get(key)!);
    kernels.delete(key);
    idle.delete(key);
  };
  return {
    kernel(source, size, sizes) {
      // A compiled kernel takes arguments of the sizes that it first saw, and no others.
      const key = `${size}:${sizes.join()}:${source}`;
      const compiled: Compiled = kernels.get(key) ?? { raw: attempt(mode, () => compile(source, size)), holders: 0 };
      kernels.set(key, compiled);
      compiled.holders++;
      idle.delete(key);
      let held = true;
      const call = (inputs: readonly Float32Array[]) => {
        compiled.raw ??= compile(source, size);
        return compiled.raw(...inputs);
      };
      return {
        run(...inputs) {
          const result = attempt(mode, () => {
            try {
              return call(inputs);
            } catch (error) {
              // Chromium has room for some hundred memories, and each kernel has its own: the others are compiled anew when it is their turn.
              if (!(error instanceof RangeError)) throw error;
              for (const other of kernels.values()) free(other);
              return call(inputs);
            }
          });
          checkMode(compiled.raw!, mode);
          return result instanceof Promise ? result.catch((cause: unknown) => failed(mode, cause)) : result;
        },
        release() {
          if (!held) return;
          held = false;
          if (--compiled.holders > 0 || kernels.get(key) !== compiled) return;
          idle.add(key);
          if (idle.size > idleLimit) discard(idle.values().next().value!);
        },
      };
    },
    destroy() {
      kernels.clear();
      idle.clear();
      void gpu.destroy();
    },
  };
}

function attempt<T>(mode: Mode, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    return failed(mode, cause);
  }
}

function failed(mode: Mode, cause: unknown): never {
  throw new BackendError({
    where: `gpujs:${mode}`,
    problem: "gpu.js failed",
    got: cause instanceof Error ? cause.message : String(cause),
    hint: "use a backend that runs here (seedgrad doctor)",
    cause,
  });
}

function checkMode({ kernel }: RawKernel, mode: Mode): void {
  const got = kernel.constructor.mode;
  const reason = kernel.fallbackReason ?? null;
  if (got === mode && reason === null) return;
  const problem = "gpu.js runs the kernel in another mode";
  const hint = "another mode may give other bits: use a backend that runs here (seedgrad doctor)";
  refuse(BackendError, `gpujs:${mode}`, problem, `${got}${reason ? `, since ${reason}` : ""}`, mode, hint);
}
