// The sampled version of test:engines: this Node as it is, and without the processor's SIMD.
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folder.ts";
import { ask, bundle } from "./lane.ts";

test("this Node gives the same bits with SIMD and, where it is x64, without the processor's", async () => {
  const program = await bundle(temporaryFolder());
  const bits = ask([process.execPath], program, "reference");
  expect(bits).toMatch(/^[0-9a-f]{16}$/);
  const lanes: string[][] = [[], ...(process.arch === "x64" ? [["--no-enable-sse4-1"]] : [])];
  for (const flags of lanes) expect(ask([process.execPath, ...flags], program, "wasm/1"), flags.join()).toBe(bits);
});
