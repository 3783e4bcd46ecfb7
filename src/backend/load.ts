// Backends by name: the one table of what there is. Each is imported when it is asked for, so that the library itself stays light.

import type { Backend } from "../compile/contract.ts";
import { checkArguments, type Kind, kind, options as optionsOf, signature, string } from "../core/arguments.ts";
import { BackendError, didYouMean, refuse } from "../core/errors.ts";
import type { VectorWidth } from "./wasm/width.ts";

/** How many threads: as many as the machine runs at once, or where there can't be several one, with `all`. */
export type Threads = number | "all";

export interface BackendOptions {
  /** Threads to run on, where the backend can: 1 if left out. */
  readonly threads?: Threads;
  /**
   * Of `wasm` (4): 8 sets V8's flag `--experimental-wasm-revectorize` for the whole process, from Node 24 on, on x64. Every result keeps its
   * bits, and each program's first run is held against vectors of 4.
   */
  readonly vectorWidth?: VectorWidth;
  /** Of class B (0.001): the share of the kernels run on the device of which a tile is computed again, on class A, while a run goes on. From 0, none, to 1, all. Others refuse it. */
  readonly audit?: number;
}

let defaultWidth: VectorWidth = 4;

/** Sets the vectors' width of backends that are loaded from now on without one. */
export function setDefaultVectorWidth(width: VectorWidth): void {
  defaultWidth = width;
}

const loaders: Readonly<Record<string, (options: BackendOptions) => Promise<Backend>>> = {
  reference: async () => (await import("./reference.ts")).referenceBackend(),
  "gpujs:webasm": async () => (await import("./gpujs/backend.ts")).gpujsBackend("webasm"),
  "gpujs:webgpu": async ({ audit }) => {
    const [{ gpujsWebgpu }, { wasmBackend }] = await Promise.all([
      import("./gpujs/backend.ts"),
      import("./wasm/backend.ts"),
    ]);
    return gpujsWebgpu(await wasmBackend(), audit);
  },
  "gpujs:cpu": async () => (await import("./gpujs/backend.ts")).gpujsBackend("cpu"),
  wasm: async ({ threads, vectorWidth = defaultWidth }) => {
    const { wasmBackend } = await import("./wasm/backend.ts");
    const width = vectorWidth === 4 ? 4 : await (await import("./wasm/width.ts")).widthFor(vectorWidth);
    return wasmBackend({ threads, vectorWidth: width, isChecked: width === 8 });
  },
  webgpu: async ({ audit }) => {
    const [{ webgpuBackend }, { wasmBackend }] = await Promise.all([
      import("./webgpu/backend.ts"),
      import("./wasm/backend.ts"),
    ]);
    return webgpuBackend(await wasmBackend(), audit);
  },
};

/** Those of class B, whose devices are audited. */
const audited: readonly string[] = ["gpujs:webgpu", "webgpu"];

/** The names `loadBackend` takes. */
export const backendNames: readonly string[] = Object.keys(loaders);

/** Modes of GPU.js whose bits depend on the device: class B, and nothing here certifies a device. */
const uncertified: readonly string[] = ["gpujs:webgl2", "gpujs:headlessgl"];

/** How many threads. */
export const threadsKind: Kind = kind(
  'a number of threads, or "all"',
  (value) => value === "all" || (Number.isSafeInteger(value) && (value as number) >= 1),
);
/** How many elements neighbouring vectors compute together. */
const vectorWidthKind: Kind = kind('4, 8 or "auto"', (value) => value === 4 || value === 8 || value === "auto");
/** A share of a whole. */
const shareKind: Kind = kind("a number from 0 to 1", (value) => typeof value === "number" && value >= 0 && value <= 1);
/** A backend, by what it can do, or a text. */
export const backendKind: Kind = kind(
  "a backend or its name",
  (value) => typeof value === "string" || typeof (value as Partial<Backend> | null)?.load === "function",
);

const call = signature("loadBackend", {
  name: string,
  "options?": optionsOf<BackendOptions>({
    "threads?": threadsKind,
    "vectorWidth?": vectorWidthKind,
    "audit?": shareKind,
  }),
});

/** Throws BackendError for an unknown name, and for one of a backend that isn't certified. */
export function checkBackendName(name: string): void {
  if (uncertified.includes(name)) {
    throw new BackendError({
      where: "backend",
      problem: "not certified here: shading languages may contract, reassociate and flush subnormals",
      got: name,
      expected: backendNames.join(", "),
      hint: "gpujs:webasm runs the same kernels with the same bits everywhere",
    });
  }
  if (Object.hasOwn(loaders, name)) return;
  const hint = didYouMean(name, backendNames);
  refuse(BackendError, "backend", "unknown backend", name, backendNames.join(", "), hint);
}

/** A backend by name. Throws BackendError as `checkBackendName`, and for a backend that isn't what it should be here. */
export async function loadBackend(name: string, options: BackendOptions = {}): Promise<Backend> {
  checkArguments(call, arguments);
  checkBackendName(name);
  if (options.audit !== undefined && !audited.includes(name)) throw unaudited(name);
  return loaders[name](options);
}

const unaudited = (got: string) =>
  new BackendError({
    where: "audit",
    problem: "this backend has no audit",
    got,
    expected: audited.join(", "),
    hint: "leave it out: what is of class A has the same bits by construction",
  });

/** The backend of options: a named one is loaded, and so is the default, `fallback`, where threads are asked for. Throws BackendError for an audit of one that has none, or that is loaded already. */
export async function chosenBackend(
  { backend, threads, audit }: Pick<BackendOptions, "threads" | "audit"> & { readonly backend?: string | Backend },
  fallback: () => Backend | Promise<Backend>,
): Promise<Backend> {
  const given = backend ?? (await fallback());
  if (typeof given !== "string" && (backend !== undefined || threads === undefined)) {
    if (audit !== undefined) throw unaudited(`${given.name}, which is loaded already`);
    return given;
  }
  return loadBackend(typeof given === "string" ? given : given.name, { threads, audit });
}
