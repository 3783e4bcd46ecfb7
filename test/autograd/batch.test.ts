// A function run on a batch gives each example's bits: random programs, their draws and their gradients, example by example and all at once.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batched } from "../../src/autograd/batch.ts";
import { gradients } from "../../src/autograd/grad.ts";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import { dtypeOf, makeArray, type TypedArray } from "../../src/core/dtype.ts";
import { GradError } from "../../src/core/errors.ts";
import { type Graph, graphNodes } from "../../src/graph/graph.ts";
import { Node } from "../../src/graph/node.ts";
import { printGraph } from "../../src/graph/print.ts";
import { reserveDraws } from "../../src/graph/scope.ts";
import { allRecords, recordOf } from "../../src/ops/define.ts";
import { cast, neg } from "../../src/ops/elementwise.ts";
import { transpose } from "../../src/ops/movement.ts";
import { sum } from "../../src/ops/reduce.ts";
import { conformanceCases, opsOf } from "../conformance/cases.ts";
import { expectSameBits, runPlan, testData, traceGraph } from "../support/graphs.ts";
import { choices, type Program, programOf } from "../support/programs.ts";

const size = 3;
const [reference, interpreted] = [referenceBackend(), interpretBackend()];

/** The graph's outputs over other inputs, with each node's draws given. */
function again(graph: Graph, inputs: readonly Node[], draws: (node: Node) => Node["draws"]): Node[] {
  const twins = new Map(graph.inputs.map(({ node }, i) => [node, inputs[i]]));
  for (const node of graphNodes(graph)) {
    const { op, dtype, shape, attributes, data } = node;
    const operands = node.inputs.map((each) => twins.get(each)!);
    twins.set(
      node,
      new Node({ op, dtype, shape, attributes, data, inputs: operands, draws: node.draws && draws(node) }),
    );
  }
  return graph.outputs.map(({ node }) => twins.get(node)!);
}

const named = (nodes: readonly Node[]) => Object.fromEntries(nodes.map((node, i) => [String(i), node]));

/** Each input for each example: its elements turned by as many places. */
function examplesOf({ inputs }: Program): TypedArray[][] {
  return Array.from({ length: size }, (_, example) =>
    inputs.map((data) => data.slice().map((_: number, i: number) => data[(i + example) % data.length]) as TypedArray),
  );
}

const joined = (parts: readonly TypedArray[]): TypedArray => {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const out = makeArray(dtypeOf(parts[0]), size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

async function holds(program: Program, on: readonly Backend[]): Promise<void> {
  const { graph } = program;
  const ports = graph.inputs.map(({ node: { dtype, shape } }) => ({ dtype, shape }));
  const first = new Map<Node, number>();
  const shape = (port: (typeof ports)[number]) => ({ ...port, shape: [size, ...port.shape] });
  const whole = traceGraph(Object.fromEntries(ports.map((port, i) => [`in${i}`, shape(port)])), (nodes) => ({
    outputs: named(
      batched(size, Object.values(nodes), (examples) =>
        again(graph, examples, (node) => {
          const range = reserveDraws(node.draws!.count);
          first.set(node, range.offset);
          return range;
        }),
      ),
    ),
  }));
  const examples = examplesOf(program);
  const one = examples.map((_, example) =>
    traceGraph(Object.fromEntries(ports.map((port, i) => [`in${i}`, port])), (nodes) => ({
      outputs: named(
        again(graph, Object.values(nodes), (node) => {
          const { count } = node.draws!;
          return { offset: size * first.get(node)! + example * count, count };
        }),
      ),
    })),
  );
  const expected: TypedArray[][] = [];
  for (const [i, each] of one.entries()) expected.push(await runPlan(reference, lower(each), examples[i], 5));
  const inputs = ports.map((_, i) => joined(examples.map((example) => example[i])));
  const plan = lower(whole);
  for (const backend of on) {
    const actual = await runPlan(backend, plan, inputs, 5);
    actual.forEach((data, i) => {
      try {
        expectSameBits(data, joined(expected.map((outputs) => outputs[i])), `${backend.name}, output ${i}`);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${printGraph(graph)}`);
      }
    });
  }
}

describe("a batch has each example's bits", () => {
  test.each([
    ["values", false, 80],
    ["gradients", true, 40],
  ])("%s of random programs", { timeout: 30_000 }, async (_, differentiate, numRuns) => {
    await fc.assert(
      fc.asyncProperty(choices, (numbers) => {
        const program = programOf(numbers, { differentiate });
        // An example's draws in a loop are no one range: those of each position, and of each node in it, are batch-major (vmap's tests).
        fc.pre(!graphNodes(program.graph).some(({ op, draws }) => op === "scan" && draws));
        return holds(program, [reference, interpreted]);
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
    return holds({ graph, inputs: [row.data, square.data] }, [interpreted]);
  });

  const cases = conformanceCases().map((each) => ({ each, ops: opsOf(each) }));
  const ruled = allRecords().flatMap((record) => ("batch" in record && record.batch !== "none" ? [record.name] : []));
  test.each(ruled)("%s, on its first cases", async (op) => {
    const own = cases.filter(({ ops }) => ops.has(op)).slice(0, 4);
    expect(own.length).toBeGreaterThan(0);
    for (const { each } of own) {
      const ports = Object.fromEntries(each.inputs.map((data, i) => [`in${i}`, data]));
      const graph = traceGraph(ports, (nodes) => ({ outputs: { y: each.build(...Object.values(nodes)) } }));
      await holds({ graph, inputs: each.inputs.map(({ data }) => data) }, [reference]);
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
