// The slow scripts begin, and end well, on a few of their cases: npm test has samples of what they prove, and not of the scripts.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "../support/sources.ts";

const few = {
  graphs: { args: ["--count", "3", "--seed", "1"], says: /^3 graphs hold: \d+ nodes of \d+ ops$/m },
  conformance: { args: ["--every", "100", "--ops", "sort;conv"], says: /^\d+ cases on 1 backends: all hold$/m },
};

test.each(Object.entries(few))("test:%s", (name, { args, says }) => {
  const script = spawnSync("npm", ["run", "--silent", `test:${name}`, "--", ...args, "--on", "wasm without SIMD"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(script.stderr).toBe("");
  expect(script.status).toBe(0);
  expect(script.stdout).toMatch(says);
});
