// seedgrad's own contestants: each backend, with each number of threads it can have.
import { availableParallelism } from "node:os";
import type { VectorWidth } from "../src/backend/wasm/width.ts";
import { type Backend, BackendError, loadBackend } from "../src/index.ts";
import { type Contestant, localEntrant } from "./harness.ts";
import { UsageError } from "./results.ts";

/** Backends that interpret, or run through GPU.js: seconds where wasm takes milliseconds. */
const isSlow = (name: string) => name !== "wasm";

/** 1 and all cores. */
export const defaultThreads = (): number[] => [...new Set([1, availableParallelism()])];

function contestantOf(backend: Backend): Contestant {
  return {
    name: backend.name,
    threads: backend.threads,
    slow: isSlow(backend.name),
    // Workers spin for a fraction of a millisecond before they sleep.
    rest: backend.threads > 1 ? 2 : 0,
    async prepare(subject) {
      return localEntrant(await subject.prepare(backend));
    },
  };
}

/** Loads the backends; one that has one thread only takes part once. Throws UsageError for a name that is none, or threads that can't be had. */
export async function loadContestants(
  names: readonly string[],
  threads: readonly number[],
  vectorWidth: VectorWidth,
): Promise<{ readonly contestants: Contestant[]; dispose(): Promise<void> }> {
  const backends: Backend[] = [];
  try {
    for (const name of names) {
      for (const count of threads) {
        const backend = await loadBackend(name, { threads: count, vectorWidth });
        if (backend.threads === count || backends.every((known) => known.name !== name)) backends.push(backend);
        else await backend.dispose();
      }
    }
  } catch (error) {
    for (const backend of backends) await backend.dispose();
    if (error instanceof BackendError) throw new UsageError(error.message);
    throw error;
  }
  return {
    contestants: backends.map(contestantOf),
    dispose: async () => {
      for (const backend of backends) await backend.dispose();
    },
  };
}
