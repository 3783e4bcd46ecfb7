// What Ctrl-C, a supervisor's SIGTERM and a closed terminal's SIGHUP do to a fit: the first finishes the step and saves, a second SIGINT or
// SIGTERM ends the process at once. Only the command line listens for signals; in code a fit takes an AbortSignal.
import { InterruptedError } from "../core/errors.ts";
import type { ExitCode, Outcome } from "./command.ts";

/** 128 plus the signal's number, as shells have it. */
const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type Stop = keyof typeof codes;
const stops = Object.keys(codes) as Stop[];

/** Runs `body` under a signal that SIGHUP, SIGINT or SIGTERM aborts, its name the reason; `ending`: what the first does, for a reader. */
export async function untilStopped<T>(ending: string, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (name: Stop) => {
    // A terminal that closes may send SIGHUP more than once: from the kernel and from the shell.
    if (controller.signal.aborted && name === "SIGHUP") return;
    if (controller.signal.aborted) process.exit(codes[name]);
    process.stderr.write(`${name}: ${ending}; once more stops at once\n`);
    controller.abort(name);
  };
  for (const name of stops) process.on(name, stop);
  try {
    return await body(controller.signal);
  } finally {
    for (const name of stops) process.off(name, stop);
  }
}

/** The exit code of a command that a signal stopped. */
export const stoppedCode = (signal: AbortSignal): ExitCode => codes[signal.reason as Stop];

/** Runs a fit until it ends or is stopped; what it throws of being interrupted becomes an outcome with the command that goes on. */
export const interruptible = (
  resume: (interrupted: InterruptedError) => string,
  body: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> =>
  untilStopped("finishing the step and saving", async (signal) => {
    try {
      return await body(signal);
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
      const { step, checkpoint } = error;
      const command = resume(error);
      return {
        code: stoppedCode(signal),
        json: { interrupted: signal.reason, step, checkpoint, resume: command },
        lines: [
          `${error.problem}, ${checkpoint ? `saved as ${checkpoint}` : "nothing saved"}`,
          `go on with: ${command}`,
        ],
      };
    }
  });

/** A command line that a POSIX shell reads back as these words. */
export function shellCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
