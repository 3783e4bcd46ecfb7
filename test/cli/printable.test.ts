// What comes out of files is printed as text: no terminal takes it for a command, and no message fills many screens.
import { expect, test, vi } from "vitest";
import { messages, report, table } from "../../src/cli/command.ts";
import { CheckpointError } from "../../src/core/errors.ts";
import { printable } from "../../src/core/printable.ts";
import type { Logger } from "../../src/train/contract.ts";
import { ProgressLogger } from "../../src/train/loggers/progress.ts";
import { call } from "../support/cli.ts";

const hostile = "\u001b]0;title\u0007\u009b2J";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const commands = /[\u001b\u0007\u009b]/;

/** What `body` writes to stdout and stderr. */
async function writtenBy(body: () => unknown): Promise<string[]> {
  const written: string[] = [];
  const write = (text: unknown) => written.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockImplementation(write));
  try {
    await body();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return written;
}

test("escapes, C1 controls and overrides of direction are shown; line ends, tabs and other letters stay", () => {
  expect(printable("a\u001b[31mb\u009b2Jc\u0007\u0008\r\u202e\u2066")).toBe(
    "a\\u001b[31mb\\u009b2Jc\\u0007\\u0008\\u000d\\u202e\\u2066",
  );
  expect(printable("é\tß\n€ 猫")).toBe("é\tß\n€ 猫");
});

test("a command's lines, its JSON and its errors", async () => {
  const written = await writtenBy(async () => {
    await report(true, async () => ({ code: 0, json: { name: hostile }, lines: [hostile] }));
    await report(true, () => Promise.reject(new CheckpointError({ where: hostile, problem: hostile, got: hostile })));
  });
  process.exitCode = 0;
  expect(written.join("")).not.toMatch(commands);
  expect(JSON.parse(written[1])).toEqual({ name: hostile });
});

test("messages and progress: names of metrics and warnings", async () => {
  const written = await writtenBy(() => {
    const progress = new ProgressLogger();
    const loggers: Logger[] = [progress, messages];
    progress.logMetrics({ [`val_${hostile}`]: 1 }, 1);
    for (const logger of loggers) logger.logMessage?.("warn", `${hostile}\n${"x".repeat(100_000)}`);
  });
  expect(written).toHaveLength(3);
  expect(written.join("")).not.toMatch(commands);
  expect(written[0]).toBe("step 1 | val_\\u001b]0;title\\u0007\\u009b2J 1\n");
  expect(written[2].length).toBeLessThan(6000);
});

test("wrong usage that holds escapes", async () => {
  const { code, stderr } = await call([`--${hostile}`]);
  expect(code).toBe(2);
  expect(stderr).toContain("unknown option '--\\u001b]0;title");
  expect(stderr).not.toMatch(commands);
});

test("a table's columns stay narrow and aligned, whatever a cell holds", () => {
  const lines = table([
    ["name", "value"],
    ["x".repeat(1_000_000), "1"],
    ["\u001b[2J", "2"],
  ]);
  expect(lines[1]).toMatch(/^x{120}… \(1000000 characters\) {2}1$/);
  expect(lines[2]).toMatch(/^\\u001b\[2J +2$/);
  expect(new Set(lines.slice(1).map((line) => line.length)).size).toBe(1);
});

test("a message is shorter than a screen, whatever a file names; its fields are whole", () => {
  const long = "x".repeat(1_000_000);
  const error = new CheckpointError({ where: long, problem: "p", got: long, expected: long, hint: long });
  expect(error.message.length).toBeLessThan(6000);
  expect(error.message).toContain("… (1000000 characters)");
  expect(error.got).toBe(long);
});

test("a message has few lines, whatever a file names", () => {
  const { message } = new CheckpointError({ where: "a", problem: "b", got: "\n".repeat(1000) });
  expect(message.split("\n").length).toBeLessThan(30);
});
