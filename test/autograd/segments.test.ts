// Checkpointed segments: gradients have the bits that they have without, draws are drawn again, and the forward pass keeps less.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autograd/grad.ts";
import { makeSegment } from "../../src/autograd/segments.ts";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { lower } from "../../src/compile/lower.ts";
import { type Graph, graphNodes } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import * as reduce from "../../src/ops/reduce.ts";
import { checkMemory } from "../support/arena.ts";
import { expectSameBits, runPlan } from "../support/graphs.ts";
import { choices, programOf, tape } from "../support/programs.ts";

/** The program's gradients, with what it computes in segments that `cuts` choose: several, one in another. */
function differentiated({ graph }: { graph: Graph }, cuts: readonly number[]): Graph {
  const nodes = graphNodes(graph).filter(({ dtype }) => dtype === "float32");
  const last = nodes[nodes.length - 1] ?? graph.inputs[0].node;
  const { pick } = tape(cuts);
  for (let i = 0; i < cuts.length / 2; i++) {
    const [from, to] = [pick(nodes.length || 1), pick(nodes.length || 1)].sort((a, b) => a - b);
    if (nodes[to]) makeSegment([nodes[to]], nodes[from].id);
  }
  const loss = last.shape.length ? reduce.sum(last) : last;
  const wanted = graph.inputs.slice(0, 3).map(({ node }) => node);
  const outputs = [loss, ...gradients(loss, wanted)].map((node: Node, i) => ({ name: String(i), node }));
  return { ...graph, outputs, watched: [], state: [] };
}

describe("segments that are computed again", () => {
  const cuts = fc.array(fc.nat(5000), { minLength: 6, maxLength: 12 });
  let more = 0;
  test("gradients of random programs have the same bits", { timeout: 30_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(choices, cuts, async (numbers, at) => {
        const program = programOf(numbers);
        const [plain, again] = [differentiated(programOf(numbers), []), differentiated(program, at)];
        more += Number(graphNodes(again).length > graphNodes(plain).length);
        const expected = await runPlan(referenceBackend(), lower(plain), program.inputs, 9);
        const plan = lower(again);
        checkMemory(plan);
        for (const backend of [referenceBackend(), interpretBackend()]) {
          const actual = await runPlan(backend, plan, program.inputs, 9);
          actual.forEach((data, i) => {
            try {
              expectSameBits(data, expected[i], `${backend.name}, output ${i}`);
            } catch (error) {
              throw new Error(`${(error as Error).message}\n${printGraph(again)}`);
            }
          });
        }
      }),
      { numRuns: 120 },
    );
    expect(more, "programs in which something is computed again").toBeGreaterThan(10);
  });
});
