// Backends by name: the one table of what there is. Each is imported when it is asked for, so that the library itself stays light.
import { BackendError, didYouMean } from "../core/errors.ts";
import type { Backend } from "./contract.ts";

export interface BackendOptions {
  /** Threads to run on, where the backend can: 1 if left out. */
  readonly threads?: number;
}

const loaders: Readonly<Record<string, (options: BackendOptions) => Promise<Backend>>> = {
  reference: async () => (await import("./reference.ts")).referenceBackend(),
  "gpujs:webasm": async () => (await import("./gpujs/backend.ts")).gpujsBackend("webasm"),
  "gpujs:cpu": async () => (await import("./gpujs/backend.ts")).gpujsBackend("cpu"),
  wasm: async (options) => (await import("./wasm/backend.ts")).wasmBackend(options),
};

/** The names `loadBackend` takes. */
export const backendNames: readonly string[] = Object.keys(loaders);

/** A backend by name. Throws BackendError on an unknown name or a backend that isn't what it should be here. */
export async function loadBackend(name: string, options: BackendOptions = {}): Promise<Backend> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (!load) {
    const near = didYouMean(name, backendNames);
    throw new BackendError({
      where: "backend",
      problem: "unknown backend",
      got: name,
      expected: backendNames.join(", "),
      hint: near && `did you mean ${near}?`,
    });
  }
  return load(options);
}
