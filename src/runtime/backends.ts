// Which backend computes: the default one, and those that were loaded by name.
import { backendKind, loadBackend } from "../backend/load.ts";
import type { Backend } from "../compile/contract.ts";
import { checkArguments, checkNone, signature } from "../core/arguments.ts";

let chosen: Backend | Promise<Backend> | undefined;
const named = new Map<string, Backend | Promise<Backend>>();

/** The backend that evaluates tensors and compiled functions which name none, as it is now: `wasm` on one thread until another is set. */
export function currentBackend(): Backend | Promise<Backend> {
  return chosen ?? setDefaultBackend("wasm");
}

/** The backend that tensors outside a compiled function are computed on, loaded. Rejects with BackendError where it can't be loaded. */
export async function defaultBackend(): Promise<Backend> {
  checkNone("defaultBackend", arguments);
  return currentBackend();
}

const call = signature("setDefaultBackend", { backend: backendKind });

/** Sets the default backend by object or name, for all that is called from now on. Values made on another one are moved when they are next used. Throws BackendError, and then leaves the one before. */
export function setDefaultBackend(backend: Backend | string): Promise<Backend> {
  checkArguments(call, arguments);
  if (typeof backend !== "string") {
    chosen = backend;
    return Promise.resolve(backend);
  }
  const before = chosen;
  const loading = loadNamed(backend);
  chosen = loading;
  const replace = (by: typeof chosen) => {
    if (chosen === loading) chosen = by;
  };
  loading.then(replace, () => replace(before));
  // A promise of its own: whoever set it and doesn't look hears of the error too.
  return loading.then((loaded) => loaded);
}

/** The backend of a name: the one loaded last by it, or a new one. */
export function namedBackend(name: string): Backend | Promise<Backend> {
  return named.get(name) ?? loadNamed(name);
}

function loadNamed(name: string): Promise<Backend> {
  const loading = loadBackend(name);
  named.set(name, loading);
  loading.then(
    (backend) => named.set(name, backend),
    () => named.delete(name),
  );
  return loading;
}
