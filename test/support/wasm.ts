// The wasm backend in the ways it can run, for tests of what it makes of a graph: all must give the reference's bits.
import { afterAll, beforeAll } from "vitest";
import { referenceBackend } from "../../src/backend/reference.ts";
import { type WasmOptions, wasmBackend } from "../../src/backend/wasm/backend.ts";
import type { Backend } from "../../src/compile/contract.ts";
import type { FuseOptions } from "../../src/compile/fuse.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Target } from "../../src/compile/target.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { expectSameBits, runPlan } from "./graphs.ts";

/** What the wasm backend schedules for on one thread, with SIMD. */
export const wasmTarget: Target = {
  groups: true,
  words: false,
  lanes: 4,
  vectorWidth: 4,
  threads: 1,
  shareFrom: 4096,
  firstCache: 16 * 1024,
  secondCache: 512 * 1024,
};

const variants: Record<string, WasmOptions> = {
  SIMD: { simd: true },
  scalar: { simd: false },
  "vectors of 8, 3 threads": { simd: true, vectorWidth: 8, threads: 3, shareFrom: 0 },
  "scalar, 3 threads": { simd: false, threads: 3, shareFrom: 0 },
};

/** Starts the backends before a file's tests and ends them after; gives the check of a graph: `times` runs of its plan on each. */
export function wasmVariants(): (
  graph: Graph,
  inputs: readonly TypedArray[],
  options?: FuseOptions & { times?: number },
) => Promise<void> {
  const backends: [string, Backend][] = [];
  beforeAll(async () => {
    for (const [name, options] of Object.entries(variants)) backends.push([name, await wasmBackend(options)]);
  });
  afterAll(async () => {
    for (const [, backend] of backends) await backend.dispose();
  });
  return async (graph, inputs, { times = 2, ...options } = {}) => {
    const plan = lower(graph, options);
    const expected = await runPlan(referenceBackend(), plan, inputs, 77, times);
    for (const [name, backend] of backends) {
      const actual = await runPlan(backend, plan, inputs, 77, times);
      plan.outputs.forEach((port, i) => {
        expectSameBits(actual[i], expected[i], `${name}: ${port.name}`);
      });
    }
  };
}
