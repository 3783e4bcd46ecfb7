// Law 6, fusion only removes memory traffic: random programs over the whole op set give the same bits unfused, fused and by the reference, on
// the kernel interpreter, gpujs and wasm; and their plans' memory holds what it should. test/backend/wasm/programs.test.ts has
// wasm's other ways to run, and `npm run test:graphs` ten thousand programs.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { loadBackend } from "../../src/backend/load.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { reachable } from "../../src/graph/node.ts";
import { withTrace } from "../../src/graph/scope.ts";
import { atOneSite } from "../../src/graph/site.ts";
import { input } from "../../src/ops/creation.ts";
import { allRecords } from "../../src/ops/define.ts";
import { functions } from "../support/functions.ts";
import { testWords } from "../support/graphs.ts";
import { growers } from "../support/growers.ts";
import { attempt } from "../support/pool.ts";
import { checkProgram, choices, programOf } from "../support/programs.ts";

/** FUZZ=20 runs twenty times as many programs. */
const factor = Number(process.env.FUZZ ?? 1);
const timeout = 60_000 * factor;

const backends: Record<string, () => Promise<Backend>> = {
  "the kernel interpreter": async () => interpretBackend(),
  "gpujs:webasm": () => loadBackend("gpujs:webasm"),
  "gpujs:cpu": () => loadBackend("gpujs:cpu"),
  wasm: () => loadBackend("wasm"),
};

describe("law 6: unfused = fused = reference", () => {
  test.each([
    ["the kernel interpreter", false, 200],
    ["the kernel interpreter", true, 100],
    ["gpujs:webasm", true, 20],
    ["gpujs:cpu", true, 20],
    ["wasm", true, 20],
  ] as const)("on %s, with gradients: %s", { timeout }, async (name, differentiate, numRuns) => {
    const backend = await backends[name]();
    await fc.assert(
      fc.asyncProperty(choices, fc.boolean(), async (numbers, strays) => {
        await checkProgram(programOf(numbers, { differentiate, strays }), [[name, backend]]);
      }),
      { numRuns: numRuns * factor },
    );
    await backend.dispose();
  });
});

describe("the programs are over the whole op set", () => {
  /** Ops that programs hold by other ways than a growth. */
  const leftOut = { constant: "a leaf", input: "a leaf", variable: "a leaf that a program binds as an input" };

  /** What grows from a few values by one name, the choices being many. */
  function grown(name: string): Set<string> {
    const ops = new Set<string>();
    const next = testWords(7);
    const pick = (below: number) => next() % below;
    const grow = () => {
      const values = [input([3, 4], "float32"), input([3, 4], "int32"), input([2, 1, 2, 3], "float32")];
      for (let time = 0; time < 40; time++) {
        const nodes = attempt(() => [growers[name]({ pick, values, depth: 1 })].flat()) ?? [];
        for (const { op } of reachable(nodes)) ops.add(op);
      }
    };
    withTrace(() => atOneSite(grow));
    return ops;
  }
  const names = Object.keys(growers);
  const found = new Map(names.map((name) => [name, grown(name)]));

  test("whatever grows by a name does grow", () => {
    expect(names.filter((name) => !found.get(name)!.size)).toEqual([]);
  });

  test("each op record is in something that grows", () => {
    const seen = new Set([...found.values()].flatMap((ops) => [...ops]));
    const missing = allRecords().filter(({ name }) => !seen.has(name) && !(name in leftOut));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  test("each public op grows", () => {
    expect(Object.keys(functions).filter((name) => !(name in growers))).toEqual([]);
  });

  test("and they come: programs of many ops, with draws, state and loops", () => {
    const seen = new Map<string, number>();
    let [state, draws] = [0, 0];
    fc.assert(
      fc.property(choices, (numbers) => {
        const { graph } = programOf(numbers);
        for (const { op } of reachable(graph.outputs.map(({ node }) => node))) seen.set(op, (seen.get(op) ?? 0) + 1);
        state += graph.state.length;
        draws += graph.draws;
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(seen.size).toBeGreaterThan(80);
    expect(Math.min(state, draws, seen.get("scan")!, seen.get("matmul")!)).toBeGreaterThan(20);
  });
});
