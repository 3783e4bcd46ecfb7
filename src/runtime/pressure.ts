// Memory in backends that only the collector can give back, since only it knows that a tensor is gone. The collector doesn't see that memory,
// so it is told.

/** Below this many bytes nothing is done. */
const calm = 2 ** 26;
/** To ask for so much and let go of it again makes an engine collect: it is never touched, so that it is no memory. */
const push = 2 ** 28;

let waiting = 0;
/** How many bytes were still in use when the collector had last been asked. */
let floor = 0;

/** Bytes now go with an object. */
export function count(bytes: number): void {
  waiting += bytes;
}

/** Bytes that were counted were given back. */
export function discount(bytes: number): void {
  waiting -= bytes;
}

/** Whether so much more is in use than was after the last collection that another is worth its time. */
export function isPressing(): boolean {
  return waiting > calm + 2 * floor;
}

/** Lets everything else have a turn: timers, signals, and the collector's callbacks, which give memory back. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}

/** Has the collector give back what it can. */
export async function relieve(): Promise<void> {
  for (let i = 0; i < 3 && (i === 0 || isPressing()); i++) {
    // Weak references that were read hold until a turn ends: so once before and once after.
    await turn();
    try {
      new ArrayBuffer(push);
    } catch {
      // An engine that can't have so much has been told already.
    }
    await turn();
  }
  floor = waiting;
}
