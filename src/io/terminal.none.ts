// The terminal where there is none (a browser): lines go to the console, and there is no bar.
import type { ProgressBar } from "./terminal.node.ts";

export type { ProgressBar };

/** Undefined: there is no terminal. */
export async function openProgressBar(
  _total: number,
  _start: number,
  _format: string,
): Promise<ProgressBar | undefined> {
  return undefined;
}

/** Nothing to survive: a console has no reader that goes away. */
export function surviveClosedOutput(): void {}

/** Writes a line to the console. */
export function writeLine(text: string): void {
  console.info(text);
}
