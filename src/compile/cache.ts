// Compiled graphs by their key: a graph that was compiled before on the same backend is found, not made again.
import type { Backend, Executable } from "../backend/contract.ts";
import type { Graph } from "../graph/hash.ts";
import { planKey } from "../graph/hash.ts";
import { lower } from "./lower.ts";

/** At most this many executables are kept a backend; the one unused for longest goes first. */
const capacity = 256;

/** What a look-up found. */
export interface CacheEntry {
  readonly executable: Executable;
  /** Whether it was there already. */
  readonly hit: boolean;
}

const caches = new WeakMap<Backend, Map<string, Executable>>();

/** The graph made ready on the backend, from the cache where its key is known. */
export async function compileGraph(backend: Backend, graph: Graph): Promise<CacheEntry> {
  const cache = caches.get(backend) ?? new Map<string, Executable>();
  caches.set(backend, cache);
  const key = planKey(graph);
  const known = cache.get(key);
  if (known) {
    cache.delete(key);
    cache.set(key, known);
    return { executable: known, hit: true };
  }
  const executable = await backend.load(lower(graph));
  cache.set(key, executable);
  if (cache.size > capacity) {
    const [oldest, gone] = cache.entries().next().value!;
    cache.delete(oldest);
    gone.dispose();
  }
  return { executable, hit: false };
}
