// A worker's side of its thread on Node, Bun and Deno.
import { parentPort, type TransferListItem } from "node:worker_threads";

/** Hears whoever started this thread. */
export function listen(callback: (message: unknown) => void): void {
  parentPort!.on("message", callback);
}

/** Tells whoever started this thread. */
export function post(message: unknown, transfer: readonly Transferable[] = []): void {
  parentPort!.postMessage(message, transfer as readonly TransferListItem[]);
}
