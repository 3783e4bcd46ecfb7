// A steady loop allocates nothing: neither WebAssembly memory nor the JavaScript heap grows over 10,000 compiled steps, and what steps gave
// is given back when it is disposed of, or collected.
import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { script } from "../support/cli.ts";

interface Growth {
  readonly loss: number;
  readonly wasm: number;
  readonly heap: number;
  readonly arrays: number;
}

async function growth(steps: number, threads: number, results: "disposed" | "collected"): Promise<Growth> {
  const args = ["--expose-gc", script("steady"), String(steps), String(threads), results];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (data) => {
    out += data;
  });
  await new Promise((resolve) => child.on("close", resolve));
  return JSON.parse(out);
}

test.concurrent.each([
  [10_000, 1, "disposed"],
  [10_000, 2, "disposed"],
  [3_000, 1, "collected"],
] as const)(
  "%d steps, threads: %d, results %s",
  async (steps, threads, results) => {
    const { loss, wasm, heap, arrays } = await growth(steps, threads, results);
    expect(loss).toBeLessThan(1e-3);
    // Nothing grows; what the first steps needed and later ones don't may have gone.
    expect(arrays).toBeLessThanOrEqual(0);
    // Collected every 300 steps, a few hundred results of 4 KiB wait for it at a time, of 11 MB in all.
    if (results === "disposed") expect(wasm).toBe(0);
    else expect(wasm).toBeLessThan(3_000_000);
    // Compiled code and statistics come and go: 64 bytes a step would be more.
    expect(heap).toBeLessThan(600_000);
  },
  90_000,
);
