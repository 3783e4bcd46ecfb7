// What Ctrl-C, a supervisor's SIGTERM and a closed terminal's SIGHUP do to a fit: the first finishes the step and saves, a second SIGINT or
// SIGTERM ends the process at once. Only the command line listens for signals; in code a fit takes an AbortSignal.
import { InterruptedError } from "../core/errors.ts";
import type { Outcome } from "./command.ts";

/** 128 plus the signal's number, as shells have it. */
const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type Stop = keyof typeof codes;
const stops = Object.keys(codes) as Stop[];

/** Runs `body` under a signal that SIGHUP, SIGINT or SIGTERM aborts; what it throws of being interrupted becomes an outcome with the command that goes on. */
export async function interruptible(
  resume: (interrupted: InterruptedError) => string,
  body: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const controller = new AbortController();
  const stop = (name: Stop) => {
    // A terminal that closes may send SIGHUP more than once: from the kernel and from the shell.
    if (controller.signal.aborted && name === "SIGHUP") return;
    if (controller.signal.aborted) process.exit(codes[name]);
    process.stderr.write(`${name}: finishing the step and saving; once more stops at once\n`);
    controller.abort(name);
  };
  for (const name of stops) process.on(name, stop);
  try {
    return await body(controller.signal);
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    const { step, checkpoint } = error;
    const command = resume(error);
    return {
      code: codes[controller.signal.reason as Stop],
      json: { interrupted: controller.signal.reason, step, checkpoint, resume: command },
      lines: [`${error.problem}, ${checkpoint ? `saved as ${checkpoint}` : "nothing saved"}`, `go on with: ${command}`],
    };
  } finally {
    for (const name of stops) process.off(name, stop);
  }
}

/** A command line that a POSIX shell reads back as these words. */
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
