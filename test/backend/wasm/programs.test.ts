// Laws 5 and 6 on the wasm backend, in the ways it can run: random programs with gradients and state give the reference's bits with SIMD and
// without, on one thread and on several that share even the smallest kernel.
import fc from "fast-check";
import { afterAll, describe, test } from "vitest";
import { type WasmOptions, wasmBackend } from "../../../src/backend/wasm/backend.ts";
import type { Backend } from "../../../src/compile/contract.ts";
import { checkProgram, choices, programOf } from "../../support/programs.ts";

const variants: Record<string, WasmOptions> = {
  SIMD: { simd: true },
  scalar: { simd: false },
  "2 threads": { threads: 2, shareFrom: 0 },
  "3 threads, vectors of 8": { threads: 3, shareFrom: 0, vectorWidth: 8 },
  "8 threads, scalar": { threads: 8, shareFrom: 0, simd: false },
  "3 threads, every wait broken off": { threads: 3, shareFrom: 0, patience: 0 },
};
const runs = Number(process.env.WASM_PROGRAMS ?? 40);

describe.each(Object.entries(variants))("random programs, %s", (name, options) => {
  let backend: Backend | undefined;
  afterAll(() => backend?.dispose());

  test("give the reference's bits", async () => {
    const wasm = await wasmBackend(options);
    backend = wasm;
    await fc.assert(
      fc.asyncProperty(choices, fc.boolean(), fc.boolean(), async (numbers, differentiate, fuse) => {
        await checkProgram(programOf(numbers, { differentiate }), [[name, wasm]], [fuse ? "fused" : "unfused"]);
      }),
      { numRuns: runs },
    );
  }, 300_000);
});
