// Law 5 and 6 on the wasm backend: random programs with gradients and state give the reference's bits with SIMD and without, on one thread
// and on several that share even the smallest kernel.
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { referenceBackend } from "../../../src/backend/reference.ts";
import { type WasmOptions, wasmBackend } from "../../../src/backend/wasm/backend.ts";
import type { Backend } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import { printGraph } from "../../../src/graph/print.ts";
import { expectSameBits, runPlan } from "../../support/graphs.ts";
import { programOf } from "../../support/programs.ts";

const reference = referenceBackend();
const variants: Record<string, WasmOptions> = {
  SIMD: { simd: true },
  scalar: { simd: false },
  "2 threads": { threads: 2, shareFrom: 0 },
  "3 threads": { threads: 3, shareFrom: 0 },
  "8 threads, scalar": { threads: 8, shareFrom: 0, simd: false },
  "3 threads, every wait broken off": { threads: 3, shareFrom: 0, patience: 0 },
};
const runs = Number(process.env.WASM_PROGRAMS ?? 40);

describe.each(Object.entries(variants))("random programs, %s", (_, options) => {
  let backend: Backend | undefined;
  afterAll(() => backend?.dispose());

  test("give the reference's bits", async () => {
    const wasm = await wasmBackend(options);
    backend = wasm;
    const choices = fc.array(fc.nat(5000), { minLength: 20, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(choices, fc.boolean(), async (numbers, differentiate) => {
        const { graph, inputs } = programOf(numbers, { differentiate });
        const plan = lower(graph);
        // Twice over: the second run reads the state that the first one wrote, and draws on.
        const expected = await runPlan(reference, plan, inputs, 77, 2);
        const actual = await runPlan(wasm, plan, inputs, 77, 2);
        expect(actual.length).toBe(expected.length);
        plan.outputs.forEach(({ name }, i) => {
          try {
            expectSameBits(actual[i], expected[i], name);
          } catch (error) {
            throw new Error(`${(error as Error).message}\n${printGraph(graph)}`);
          }
        });
      }),
      { numRuns: runs },
    );
  }, 300_000);
});
