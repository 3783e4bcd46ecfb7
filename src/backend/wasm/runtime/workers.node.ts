// Workers on Node, Bun and Deno: threads of node:worker_threads that run a given source.
import { availableParallelism } from "node:os";
import { type TransferListItem, Worker } from "node:worker_threads";

/** A thread that runs the source it was started with. */
export interface WorkerHandle {
  /** Sends a copy; of what is in `transfer` the memory itself goes. */
  post(message: unknown, transfer?: readonly Transferable[]): void;
  /** Ends the thread. */
  stop(): void;
  /** Whether the thread alone keeps the process alive: only while something waits for its answer. */
  hold(alive: boolean): void;
}

/** What is told of a thread: its messages, and once that it has ended and why, unless it was stopped. */
export interface WorkerEvents {
  message(message: unknown): void;
  ended(reason: string): void;
}

/** Starts a thread. In the source, `listen(callback)` and `post(message)` are there. */
export function startWorker(source: string, events: WorkerEvents): WorkerHandle {
  const prelude =
    'const { parentPort } = require("node:worker_threads");' +
    'const listen = (callback) => parentPort.on("message", callback);' +
    "const post = (message) => parentPort.postMessage(message);";
  return handleOf(new Worker(prelude + source, { eval: true, execArgv: [] }), events);
}

/** A thread that was started. */
export function handleOf(worker: Worker, events: WorkerEvents): WorkerHandle {
  let stopped = false;
  worker.on("message", (message) => events.message(message));
  // What was thrown there may be anything.
  worker.on("error", (error?: Error | null) => events.ended(error?.message ?? `it threw ${String(error)}`));
  worker.on("exit", (code) => {
    if (!stopped) events.ended(`it exited with code ${code}`);
  });
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as readonly TransferListItem[]),
    stop: () => {
      stopped = true;
      void worker.terminate();
    },
    hold: (alive) => (alive ? worker.ref() : worker.unref()),
  };
}

/** How many threads run at once on this machine. */
export function availableThreads(): number {
  return availableParallelism();
}

/** Why several threads can't be used here, or undefined where they can. */
export function threadsRefused(): string | undefined {
  return undefined;
}
