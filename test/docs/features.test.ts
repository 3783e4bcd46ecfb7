// docs/features.md: whatever our column names in code is something that a config, the library or the command line has.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as library from "../../src/index.ts";
import { hookParts } from "../../src/train/hooks.ts";
import { root } from "../support/sources.ts";

const rows = readFileSync(`${root}docs/features.md`, "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|") && !line.startsWith("|---"))
  .map((line) => line.split("|").at(-2)!);
const names = rows.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));

/** Keys and names that a config may hold, at any depth. */
function configWords(node: unknown, words = new Set<string>()): Set<string> {
  if (typeof node === "object" && node !== null) {
    for (const [key, value] of Object.entries(node)) {
      if (key === "properties") for (const name of Object.keys(value as object)) words.add(name);
      if (key === "enum" || key === "const") for (const word of [value].flat()) words.add(String(word));
      configWords(value, words);
    }
  }
  return words;
}

const words = configWords(library.configJsonSchema());
const commandLine = ["program", "flags"].map((name) => readFileSync(`${root}src/cli/${name}.ts`, "utf8")).join("");

test("there are many", () => expect(names.length).toBeGreaterThan(70));

test.each(names)("%s exists", (name) => {
  const exported = name
    .split(".")
    .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], library);
  const inCode =
    exported !== undefined ||
    name in library.Trainer.prototype ||
    Object.hasOwn(hookParts, name) ||
    ["graphHash", "history", "best", "last"].includes(name);
  const onCommandLine = commandLine.includes(name.startsWith("--") ? name : `.command("${name}")`);
  expect(inCode || words.has(name) || onCommandLine).toBe(true);
});
