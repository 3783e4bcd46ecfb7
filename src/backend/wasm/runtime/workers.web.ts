// Workers in a browser: they need a page that is cross-origin isolated, and a main thread that may wait, which only a worker's may.
import type { WorkerEvents, WorkerHandle } from "./workers.node.ts";

export type { WorkerEvents, WorkerHandle };

/** Starts a thread. In the source, `listen(callback)` and `post(message)` are there. */
export function startWorker(source: string, events: WorkerEvents): WorkerHandle {
  const prelude =
    "const listen = (callback) => { self.onmessage = (event) => callback(event.data); };" +
    "const post = (message) => self.postMessage(message);";
  const url = URL.createObjectURL(new Blob([prelude + source], { type: "text/javascript" }));
  const handle = handleOf(new Worker(url), events);
  return {
    ...handle,
    stop: () => {
      handle.stop();
      URL.revokeObjectURL(url);
    },
  };
}

/** A thread that was started. */
export function handleOf(worker: Worker, events: WorkerEvents): WorkerHandle {
  worker.onmessage = (event) => events.message(event.data);
  worker.onerror = (event) => events.ended(event.message || "its script can't be loaded");
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    stop: () => worker.terminate(),
    hold: () => {},
  };
}

/** How many threads run at once on this machine. */
export function availableThreads(): number {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Why several threads can't be used here, or undefined where they can. */
export function threadsRefused(): string | undefined {
  if (typeof SharedArrayBuffer === "undefined" || globalThis.crossOriginIsolated !== true)
    return "the page isn't cross-origin isolated, so there is no shared memory";
  if (typeof Worker === "undefined") return "there are no workers here";
  return typeof document === "undefined" ? undefined : "a page's main thread may not wait: run the engine in a worker";
}
