// The worker's thread in a browser.
import { handleOf, type WorkerEvents, type WorkerHandle } from "../backend/wasm/runtime/workers.web.ts";

export type { WorkerEvents, WorkerHandle };

/** A name by itself: beside `import.meta.url` as a text, bundlers copy the file as it is. */
const entry = "./worker-entry.js";

/** Starts a thread that runs worker-entry. */
export function startThread(events: WorkerEvents): WorkerHandle {
  const { href, origin } = new URL(entry, import.meta.url);
  if (origin === globalThis.location?.origin) {
    // Bundlers know a worker by these very words.
    return handleOf(new Worker(new URL("./worker-entry.js", import.meta.url), { type: "module" }), events);
  }
  // A worker's script must be of the page's origin; what it imports needn't.
  const url = URL.createObjectURL(new Blob([`import ${JSON.stringify(href)};`], { type: "text/javascript" }));
  const handle = handleOf(new Worker(url, { type: "module" }), events);
  return {
    ...handle,
    stop: () => {
      handle.stop();
      URL.revokeObjectURL(url);
    },
  };
}
