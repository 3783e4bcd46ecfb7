// What goes to another thread: copied, or memory that goes over. What neither can be done with is an error where it is sent; some engines take it and lose the message.
import { ConfigError } from "../core/errors.ts";

/** Calls `post`. Throws ConfigError for memory in `transfer` that went over before, and for what can't be copied; `what` names it. */
export function send(what: string, transfer: readonly Transferable[], post: () => void): void {
  if (transfer.some(isGone)) {
    throw new ConfigError({
      where: "worker",
      problem: `${what}: memory in \`transfer\` went to another thread before`,
      got: "a detached ArrayBuffer",
      expected: "memory that is still here",
      hint: "fill a new array for each call, or leave it out of `transfer`: then it is copied",
    });
  }
  try {
    post();
  } catch (cause) {
    throw new ConfigError({
      where: "worker",
      problem: `${what} can't go to another thread`,
      got: (cause as Error).message,
      expected: "numbers, texts and typed arrays, in records and lists; in `transfer` each ArrayBuffer once",
      cause,
    });
  }
}

function isGone(memory: Transferable): boolean {
  if (!(memory instanceof ArrayBuffer)) return false;
  try {
    new Uint8Array(memory);
    return false;
  } catch {
    return true;
  }
}
