// A function run on a batch gives each example's bits: random programs, their draws and their gradients, example by example and all at once.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batched } from "../../src/autograd/batch.ts";
import { gradients } from "../../src/autograd/grad.ts";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { GradError } from "../../src/core/errors.ts";
import { Node } from "../../src/graph/node.ts";
import { allRecords, recordOf } from "../../src/ops/define.ts";
import { cast, neg } from "../../src/ops/elementwise.ts";
import { transpose } from "../../src/ops/movement.ts";
import { sum } from "../../src/ops/reduce.ts";
import { conformanceCases, opsOf } from "../conformance/cases.ts";
import { testData, traceGraph } from "../support/graphs.ts";
import { choices, programOf } from "../support/programs.ts";
import { checkBatch } from "../support/relations.ts";

const [reference, interpreted] = [referenceBackend(), interpretBackend()];

const named = (nodes: readonly Node[]) => Object.fromEntries(nodes.map((node, i) => [String(i), node]));

describe("a batch has each example's bits", () => {
  test.each([
    ["values", false, 80],
    ["gradients", true, 40],
  ])("%s of random programs", { timeout: 30_000 }, async (_, differentiate, numRuns) => {
    await fc.assert(
      fc.asyncProperty(choices, (numbers) => {
        const program = programOf(numbers, { differentiate });
        return checkBatch(program, [reference, interpreted]);
      }),
      { numRuns, interruptAfterTimeLimit: 20_000 },
    );
  });

  test("a copy that its reader does without has no memory, and asks for none", () => {
    const [row, square] = [testData([3, 4], "int32", [-2, 6]), testData([4, 4])];
    const graph = traceGraph({ row, square }, (inputs) => {
      const moved = transpose(inputs.square, [0, 1]);
      const [gradient] = gradients(sum(moved), [inputs.square]);
      return { outputs: { other: neg(cast(inputs.row, "float32")), moved, again: moved, gradient } };
    });
    return checkBatch({ graph, inputs: [row.data, square.data] }, [interpreted]);
  });

  const cases = conformanceCases().map((each) => ({ each, ops: opsOf(each) }));
  const ruled = allRecords().flatMap((record) => ("batch" in record && record.batch !== "none" ? [record.name] : []));
  test.each(ruled)("%s, on its first cases", async (op) => {
    const own = cases.filter(({ ops }) => ops.has(op)).slice(0, 4);
    expect(own.length).toBeGreaterThan(0);
    for (const { each } of own) {
      const ports = Object.fromEntries(each.inputs.map((data, i) => [`in${i}`, data]));
      const graph = traceGraph(ports, (nodes) => ({ outputs: { y: each.build(...Object.values(nodes)) } }));
      await checkBatch({ graph, inputs: each.inputs.map(({ data }) => data) }, [reference]);
    }
  });

  test("an op without a rule is refused by name", () => {
    const record = recordOf(new Node({ op: "matmul", dtype: "float32", shape: [] })) as { batch: unknown };
    const { batch } = record;
    const product = (x: Node) => new Node({ op: "matmul", dtype: "float32", shape: [2, 2], inputs: [x, x] });
    const attempt = () => {
      traceGraph({ x: { dtype: "float32", shape: [3, 2, 2] } }, ({ x }) => ({
        outputs: named(batched(3, [x], ([example]) => [product(example)])),
      }));
    };
    try {
      record.batch = "none";
      expect(attempt).toThrow(GradError);
      expect(attempt).toThrow(/vmap: matmul can't be run on a batch/);
    } finally {
      record.batch = batch;
    }
    expect(attempt).not.toThrow();
  });
});
