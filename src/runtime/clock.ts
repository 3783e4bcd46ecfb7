// The one clock: for what only informs (seconds, rates). Nothing that is computed may depend on it.
import { turn } from "./pressure.ts";

/** Seconds from an arbitrary beginning, never going back. */
export function now(): number {
  return performance.now() / 1000;
}

/** Steps that never wait may run for so many seconds before everything else gets a turn. */
const longest = 0.05;
let rested = now();

/** Lets timers, signals and a browser's page have their turn, if they haven't had one lately. */
export async function yieldToEventLoop(): Promise<void> {
  if (now() - rested < longest) return;
  await turn();
  rested = now();
}
