// Compiled graphs by their key: a graph that was compiled before on the same backend is found, not made again.

import { remembered } from "../core/remembered.ts";
import type { Graph } from "../graph/graph.ts";
import type { Backend, Executable } from "./contract.ts";
import { detached } from "./detach.ts";
import { planKey } from "./hash.ts";
import { planGraph } from "./lower.ts";

/** So many executables are kept a backend, beside those that somebody holds; the one unused for longest goes first. */
const capacity = 256;

/** What a look-up found. */
export interface CacheEntry {
  readonly executable: Executable;
  /** Whether it was there already. */
  readonly hit: boolean;
}

interface Kept {
  readonly executable: Executable;
  /** Whoever runs it without looking it up again. */
  holders: number;
}

const caches = new WeakMap<Backend, Map<string, Kept>>();
const released = new FinalizationRegistry<Kept>((kept) => {
  kept.holders--;
});

/** The executable of a graph whose key is known, if it is still there. */
export function findCompiled(backend: Backend, key: string): Executable | undefined {
  return look(backend, key)?.executable;
}

function look(backend: Backend, key: string): Kept | undefined {
  const cache = caches.get(backend);
  const kept = cache?.get(key);
  if (!cache || !kept) return undefined;
  cache.delete(key);
  cache.set(key, kept);
  return kept;
}

/** The graph made ready on the backend, from the cache where its key is known. While `holder` lives, the executable isn't disposed. */
export async function compileGraph(backend: Backend, graph: Graph, holder?: object): Promise<CacheEntry> {
  const key = planKey(graph);
  const known = look(backend, key);
  const kept = known ?? { executable: await backend.load(await planGraph(detached(graph))), holders: 0 };
  if (holder) {
    kept.holders++;
    released.register(holder, kept);
  }
  if (!known) keep(backend, key, kept);
  return { executable: kept.executable, hit: known !== undefined };
}

function keep(backend: Backend, key: string, added: Kept): void {
  const cache = remembered(caches, backend, () => new Map());
  cache.set(key, added);
  for (const [oldest, kept] of cache) {
    if (cache.size <= capacity) return;
    if (kept === added || kept.holders > 0) continue;
    cache.delete(oldest);
    kept.executable.dispose();
  }
}
