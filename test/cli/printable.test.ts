// What comes out of files is printed as text: no terminal takes it for a command, and no message fills many screens.
import { expect, test, vi } from "vitest";
import { printable, report } from "../../src/cli/command.ts";
import { CheckpointError } from "../../src/core/errors.ts";

test("escapes, C1 controls and overrides of direction are shown; line ends, tabs and other letters stay", () => {
  expect(printable("a\u001b[31mb\u009b2Jc\u0007\u0008\r\u202e\u2066")).toBe(
    "a\\u001b[31mb\\u009b2Jc\\u0007\\u0008\\u000d\\u202e\\u2066",
  );
  expect(printable("é\tß\n€ 猫")).toBe("é\tß\n€ 猫");
});

test("a command's lines, its JSON and its errors", async () => {
  const written: string[] = [];
  const write = (text: unknown) => written.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockImplementation(write));
  const hostile = "\u001b]0;title\u0007\u009b2J";
  await report(true, async () => ({ code: 0, json: { name: hostile }, lines: [hostile] }));
  await report(true, () => Promise.reject(new CheckpointError({ where: hostile, problem: hostile, got: hostile })));
  for (const spy of spies) spy.mockRestore();
  process.exitCode = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(written.join("")).not.toMatch(/[\u001b\u0007\u009b]/);
  expect(JSON.parse(written[1])).toEqual({ name: hostile });
});

test("a message is shorter than a screen, whatever a file names; its fields are whole", () => {
  const long = "x".repeat(1_000_000);
  const error = new CheckpointError({ where: long, problem: "p", got: long, expected: long, hint: long });
  expect(error.message.length).toBeLessThan(6000);
  expect(error.message).toContain("… (1000000 characters)");
  expect(error.got).toBe(long);
});
