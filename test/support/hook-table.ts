// The table of hooks and the loop that calls them, as docs/callbacks.md shows both: put together from the order in hooks.ts and the sentences in contract.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hookParts } from "../../src/train/hooks.ts";
import { root } from "./sources.ts";

const text = (path: string) => readFileSync(join(root, path), "utf8");

/** The sentence above a hook's declaration. */
function sentenceOf(name: string): string {
  const found = new RegExp(`/\\*\\* (.*) \\*/\\n {2}${name}\\?`).exec(text("src/train/contract.ts"));
  if (!found) throw new Error(`contract.ts says nothing of ${name}`);
  return found[1];
}

/** Its rows, in order. */
export function hookRows(): string {
  const rows = Object.entries(hookParts).map(([name, part]) => `| ${name} | ${part} | ${sentenceOf(name)} |`);
  return ["| hook | part of | when |", "|---|---|---|", ...rows].join("\n");
}

/** The loop in pseudocode. */
export function hookLoop(): string {
  return [...text("src/train/hooks.ts").matchAll(/^\/\/ {3}(.*)$/gm)].map(([, line]) => line).join("\n");
}
