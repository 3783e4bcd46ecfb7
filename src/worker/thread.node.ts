// The worker's thread on Node, Bun and Deno.
import { Worker } from "node:worker_threads";
import { handleOf, type WorkerEvents, type WorkerHandle } from "../backend/wasm/runtime/workers.node.ts";

export type { WorkerEvents, WorkerHandle };

/** Starts a thread that runs worker-entry. */
export function startThread(events: WorkerEvents): WorkerHandle {
  // Node's own flags go along, but for one that is only for a program given as text.
  const execArgv = process.execArgv.filter((flag) => !flag.startsWith("--input-type"));
  return handleOf(new Worker(new URL("./worker-entry.js", import.meta.url), { execArgv }), events);
}
