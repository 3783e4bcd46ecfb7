// A worker's side of its thread in a browser.

/** Hears whoever started this thread. */
export function listen(callback: (message: unknown) => void): void {
  self.onmessage = (event) => callback(event.data);
}

/** Tells whoever started this thread. */
export function post(message: unknown, transfer: readonly Transferable[] = []): void {
  self.postMessage(message, { transfer: [...transfer] });
}
