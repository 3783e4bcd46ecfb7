// The one queue that all execution goes through.
import { isPressing, relieve, turn } from "./pressure.ts";

let queue: Promise<unknown> = Promise.resolve();
let works = 0;

/** Work that never waits for anything from outside would keep everything else from its turn for ever. */
const turnEvery = 256;

/** Runs one piece of work after all that came before it: executions never interleave. */
export function exclusive<T>(work: () => Promise<T>): Promise<T> {
  const result = queue.then(rest).then(work);
  queue = result.then(nothing, nothing);
  return result;
}

const nothing = () => {};

/** Before a piece of work: a turn for the rest of the world now and then, and for the collector where much waits for it. */
async function rest(): Promise<void> {
  if (isPressing()) await relieve();
  else if (++works % turnEvery === 0) await turn();
}
