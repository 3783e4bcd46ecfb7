// Law 6, fusion only removes memory traffic: random programs give the same bits unfused, fused and by the reference, on the kernel
// interpreter and on gpujs; and their plans' memory holds what it should.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { loadBackend } from "../../src/backend/load.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import { printGraph } from "../../src/graph/print.ts";
import { checkMemory } from "../support/arena.ts";
import { expectSameBits, runPlan } from "../support/graphs.ts";
import { programOf } from "../support/programs.ts";

const reference = referenceBackend();
/** FUZZ=20 runs twenty times as many programs. */
const factor = Number(process.env.FUZZ ?? 1);
const timeout = 30_000 * factor;
const choices = fc.array(fc.nat(5000), { minLength: 20, maxLength: 120 });

async function holds(backend: Backend, numbers: readonly number[], differentiate: boolean): Promise<void> {
  const { graph, inputs } = programOf(numbers, { differentiate });
  const [fused, unfused] = [lower(graph), lower(graph, { fuse: false })];
  // Twice over: the second run reads the state that the first one wrote, and draws on.
  const expected = await runPlan(reference, fused, inputs, 77, 2);
  for (const [name, plan] of [
    ["fused", fused],
    ["unfused", unfused],
  ] as const) {
    checkMemory(plan);
    const actual = await runPlan(backend, plan, inputs, 77, 2);
    plan.outputs.forEach((port, i) => {
      try {
        expectSameBits(actual[i], expected[i], `${name} ${port.name}`);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${printGraph(graph)}`);
      }
    });
  }
}

describe("law 6: unfused = fused = reference", () => {
  test("on the kernel interpreter", { timeout }, async () => {
    const backend = interpretBackend();
    await fc.assert(
      fc.asyncProperty(choices, (numbers) => holds(backend, numbers, false)),
      { numRuns: 400 * factor },
    );
  });

  test("with gradients, on the kernel interpreter", { timeout }, async () => {
    const backend = interpretBackend();
    await fc.assert(
      fc.asyncProperty(choices, (numbers) => holds(backend, numbers, true)),
      { numRuns: 150 * factor },
    );
  });

  test.each(["gpujs:webasm", "gpujs:cpu", "wasm"])("on %s", { timeout }, async (name) => {
    const backend = await loadBackend(name);
    await fc.assert(
      fc.asyncProperty(choices, (numbers) => holds(backend, numbers, true)),
      { numRuns: 30 * factor },
    );
    await backend.dispose();
  });

  test("the programs hold what they should: many ops, draws, state", () => {
    const seen = new Set<string>();
    let [state, draws] = [0, 0];
    fc.assert(
      fc.property(choices, (numbers) => {
        const { graph } = programOf(numbers);
        for (const line of printGraph(graph).split("\n")) seen.add(/= (\w+)/.exec(line)?.[1] ?? "");
        state += graph.state.length;
        draws += graph.draws;
      }),
      { numRuns: 300 },
    );
    expect(seen.size).toBeGreaterThan(35);
    expect(Math.min(state, draws)).toBeGreaterThan(50);
  });
});
