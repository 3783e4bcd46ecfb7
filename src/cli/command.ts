// What every command shares: exit codes, how a failure is shown, and the last line that `--json` promises.
import { existsSync, writeFileSync } from "node:fs";
import { surviveClosedOutput } from "#terminal";
import { BackendError, ConfigError, SeedgradError, StreamError } from "../core/errors.ts";
import { clipped, printable, printableMessage } from "../core/printable.ts";
import { alignedLines } from "../core/table.ts";
import type { Logger } from "../train/contract.ts";

/** What exit codes mean; those of signals are 128 plus the signal's number, as shells have it. */
export const exitMeanings = {
  0: "ok",
  1: "the run or the comparison failed",
  2: "wrong usage or config, or what it names isn't there",
  129: "stopped by SIGHUP after a saved step",
  130: "stopped by SIGINT after a saved step",
  143: "stopped by SIGTERM after a saved step",
} as const;
export type ExitCode = keyof typeof exitMeanings;

/** Exit codes as `--help` tells of them; `own`: what some of them mean for one command. */
export const exitCodesText = (own: Partial<Record<ExitCode, string>> = {}): string =>
  ["\nExit codes:", ...Object.entries({ ...exitMeanings, ...own }).map(([code, text]) => `  ${code}: ${text}`)].join(
    "\n",
  );

/** What a command gives back: its exit code, what `--json` prints, and the lines for people. */
export interface Outcome {
  readonly code: ExitCode;
  readonly json: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

/** Shows a Trainer's messages where no logger of the config does: on stderr, so that stdout holds results. */
export const messages: Logger = {
  logMessage: (_level, text) => void process.stderr.write(`${printableMessage(text)}\n`),
};

/** JSON on one line; bigint as a decimal string. */
export function oneLine(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? item.toString() : item));
}

/** The exit code of a command that threw: a wrong config or argument is 2, be it a flag's value, a path that leads nowhere, or a step that a run hasn't. */
export function codeOf(error: unknown): ExitCode {
  return error instanceof ConfigError || error instanceof StreamError || error instanceof BackendError ? 2 : 1;
}

/** Runs a command and shows its outcome; a failure goes to stderr, and with `json` to the last line of stdout too. */
export async function report(json: boolean | undefined, body: () => Promise<Outcome>): Promise<void> {
  surviveClosedOutput();
  let outcome: Outcome;
  try {
    outcome = await body();
  } catch (error) {
    const known = error instanceof SeedgradError;
    const text = known ? `${error.name}: ${error.message}` : String((error as Error)?.stack ?? error);
    process.stderr.write(`${printableMessage(text)}\n`);
    const { name = "Error", message = String(error) } = error as Error;
    outcome = { code: codeOf(error), json: { error: { name, message } }, lines: [] };
  }
  for (const line of outcome.lines) process.stdout.write(`${printable(line)}\n`);
  if (json) process.stdout.write(`${printable(oneLine(outcome.json))}\n`);
  process.exitCode = outcome.code;
}

/** Throws ConfigError for a path that a user names, and that leads nowhere. */
export function requirePath(where: string, path: string): void {
  if (existsSync(path)) return;
  throw new ConfigError({ where, problem: "there is no such file or folder", got: path });
}

/** Writes a file that a flag names. Throws SeedgradError naming both. */
export function writeOutput(flag: string, path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new SeedgradError({
      where: `${flag} ${path}`,
      problem: "the file can't be written",
      got: String(cause),
      cause,
    });
  }
}

/** Letters of a cell that a table shows. */
const widestCell = 120;
/** Letters of a line of a cell that is shown whole. */
const wrapAt = 100;

/** A text in lines of at most so many letters, parted at blanks where there are any. */
function wrapped(text: string, most: number): string[] {
  if (text.length <= most) return [text];
  const blank = text.lastIndexOf(" ", most);
  const end = blank > 0 ? blank : most;
  return [text.slice(0, end), ...wrapped(text.slice(end).trimStart(), most)];
}

/** A table's rows as aligned lines, a longer cell of the last column whole in lines of its own. */
export function tableWhole(rows: readonly (readonly string[])[]): string[] {
  return table(
    rows.flatMap((row) => {
      const [first, ...more] = wrapped(printable(row[row.length - 1]), wrapAt);
      const before = row.slice(0, -1);
      return [[...before, first], ...more.map((line) => [...before.map(() => ""), line])];
    }),
  );
}

/** A table's rows as aligned lines; a longer cell is cut short. */
export function table(whole: readonly (readonly string[])[]): string[] {
  const cells = whole.map((row) => row.map((cell) => clipped(printable(cell), widestCell)));
  return alignedLines(cells, Number.POSITIVE_INFINITY);
}
