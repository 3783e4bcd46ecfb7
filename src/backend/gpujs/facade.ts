// The one door to gpu.js: a named mode, kernels from source strings, and the assertion that the mode which runs is the one that was named.
// gpu.js falls back to another mode with no more than a console message; here that is an error.
import { BackendError } from "../../core/errors.ts";

/** The modes whose bits are pinned: every operation float32, or rounded to it. */
export type Mode = "webasm" | "cpu";

/** A compiled kernel: flat float32 arrays in, its result out; the array may be written over by the next call. */
export type GpuKernel = (...inputs: readonly Float32Array[]) => Float32Array;

/** One GPU.js context. */
export interface Facade {
  /** Compiles `source` for `size` outputs, or finds it compiled. Throws BackendError when called and another mode than the named one answers. */
  kernel(source: string, size: number): GpuKernel;
  destroy(): void;
}

interface RawKernel {
  (...inputs: readonly Float32Array[]): Float32Array;
  kernel: { constructor: { mode?: string }; fallbackReason?: string | null; moduleCacheLimit?: number };
}

interface RawGpu {
  createKernel(source: string, settings: object): RawKernel;
  destroy(): Promise<void> | void;
}

/** Opens GPU.js in a mode. Imports it now, and not before. */
export async function openGpu(mode: Mode): Promise<Facade> {
  const { GPU } = (await import("gpu.js")) as unknown as { GPU: new (settings: object) => RawGpu };
  return facadeOver(new GPU({ mode }), mode);
}

/** The facade over a GPU object: apart, so that a test can hand in one that falls back. */
export function facadeOver(gpu: RawGpu, mode: Mode): Facade {
  const kernels = new Map<string, GpuKernel>();
  const compile = (source: string, size: number): GpuKernel => {
    // The default cap of 1000 iterations silently truncates loops.
    const raw = gpu.createKernel(source, { output: [size], precision: "single", loopMaxIterations: 2 ** 31 - 1 });
    let checked = false;
    return (...inputs) => {
      const result = raw(...inputs);
      if (!checked) {
        checkMode(raw, mode);
        checked = true;
      }
      return result;
    };
  };
  return {
    kernel(source, size) {
      const key = `${size}:${source}`;
      const known = kernels.get(key);
      if (known) return known;
      // A compiled kernel takes arguments of the sizes that it first saw, and no others.
      const bySizes = new Map<string, GpuKernel>();
      const kernel: GpuKernel = (...inputs) => {
        const sizes = inputs.map(({ length }) => length).join();
        const compiled = bySizes.get(sizes) ?? compile(source, size);
        bySizes.set(sizes, compiled);
        return compiled(...inputs);
      };
      kernels.set(key, kernel);
      return kernel;
    },
    destroy() {
      kernels.clear();
      void gpu.destroy();
    },
  };
}

function checkMode({ kernel }: RawKernel, mode: Mode): void {
  const got = kernel.constructor.mode;
  const reason = kernel.fallbackReason ?? null;
  if (got === mode && reason === null) return;
  throw new BackendError({
    where: `gpujs:${mode}`,
    problem: "gpu.js runs the kernel in another mode",
    got: `${got}${reason ? `, since ${reason}` : ""}`,
    expected: mode,
    hint: "another mode may give other bits: use a backend that runs here (seedgrad doctor)",
  });
}
