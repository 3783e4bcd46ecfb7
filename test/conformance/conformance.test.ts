// Law 5: every backend gives reference's bits, op by op. Many cases go into one plan, since compiling is what costs.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { backendNames, loadBackend } from "../../src/backend/load.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { ShapeError } from "../../src/core/errors.ts";
import type { Node } from "../../src/graph/node.ts";
import { allRecords } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { gather, scatterAdd } from "../../src/ops/gather.ts";
import { transpose } from "../../src/ops/movement.ts";
import { functions } from "../../src/tensor/members.ts";
import { arrayOf, type Data, expectSameBits, runPlan, testData, traceGraph } from "../support/graphs.ts";
import { grownCases } from "./cases/grown.ts";
import { type Case, conformanceCases, opsOf } from "./cases.ts";

const seed = 2n ** 64n - 59n;
const base = 2 ** 33 + 12345;
const largestBatch = 60;

interface Batch {
  readonly name: string;
  readonly cases: readonly Case[];
  readonly plan: Plan;
  readonly inputs: readonly TypedArray[];
  readonly expected: readonly TypedArray[];
}

// What grows is no case that pins an op's bits: its choices are others whenever the growers are.
const cases: readonly Case[] = [
  ...conformanceCases(),
  ...grownCases().map((each) => ({ ...each, group: "public ops" })),
];

/** Cases of one kind, in plans of some dozens. */
function batches(): { name: string; cases: Case[] }[] {
  const groups = new Map<string, Case[]>();
  for (const each of cases) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  return [...groups].flatMap(([group, members]) =>
    Array.from({ length: Math.ceil(members.length / largestBatch) }, (_, i) => {
      const part = members.slice(i * largestBatch, (i + 1) * largestBatch);
      return { name: `${group} ${i + 1}: ${part.length} cases`, cases: part };
    }),
  );
}

async function prepare({ name, cases: members }: { name: string; cases: Case[] }): Promise<Batch> {
  const ports: Record<string, Data> = {};
  members.forEach((each, at) => {
    each.inputs.forEach((data, i) => {
      ports[`${at}/${i}`] = data;
    });
  });
  const graph = traceGraph(
    ports,
    (nodes) => {
      const outputs: Record<string, Node> = {};
      members.forEach((each, at) => {
        outputs[`${at} ${each.name}`] = each.build(...each.inputs.map((_, i) => nodes[`${at}/${i}`]));
      });
      return { outputs };
    },
    { seed },
  );
  const plan = lower(graph);
  const inputs = Object.values(ports).map(({ data }) => data);
  return { name, cases: members, plan, inputs, expected: await runPlan(referenceBackend(), plan, inputs, base) };
}

const prepared = batches().map((batch) => {
  let ready: Promise<Batch> | undefined;
  return {
    name: batch.name,
    get: () => {
      ready ??= prepare(batch);
      return ready;
    },
  };
});

test("every op has a case", () => {
  const seen = new Set(cases.flatMap((each) => [...opsOf(each)]));
  const leaves = allRecords().filter(({ kind }) => kind === "leaf");
  expect(leaves.map(({ name }) => name)).toEqual(["constant", "input", "variable"]);
  const missing = allRecords().filter((record) => record.kind !== "leaf" && !seen.has(record.name));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test("every public op has a case of its own", () => {
  const grown = cases.filter(({ group }) => group === "public ops").map(({ name }) => name.split(" as it grows")[0]);
  expect(Object.keys(functions).filter((name) => !grown.includes(name))).toEqual([]);
});

test("case names are unique", () => {
  const names = cases.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

const others: Record<string, () => Promise<Backend>> = {
  "the kernel interpreter": async () => interpretBackend(),
  ...Object.fromEntries(
    backendNames.filter((name) => name !== "reference").map((name) => [name, () => loadBackend(name)]),
  ),
  // Everything is shared out, however small: the borders between threads move no bits, nor does the vectors' width.
  "wasm on 3 threads, vectors of 8": () => wasmBackend({ threads: 3, shareFrom: 0, vectorWidth: 8 }),
  "wasm without SIMD": () => wasmBackend({ simd: false }),
};

describe.each(Object.entries(others))("%s gives reference's bits", (_, load) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await load();
  });
  afterAll(async () => {
    await backend?.dispose();
  });

  for (const { name, get } of prepared) {
    test(name, async () => {
      const { plan, inputs, expected, cases: members } = await get();
      const actual = await runPlan(backend, plan, inputs, base);
      const differing = members.flatMap((each, i) => {
        try {
          expectSameBits(actual[i], expected[i], each.name);
          return [];
        } catch (error) {
          return [(error as Error).message];
        }
      });
      expect(differing).toEqual([]);
    });
  }

  test("an index out of range is a ShapeError when run, for a read and for an addition", async () => {
    const x = { dtype: "float32", shape: [3] } as const;
    const index = { dtype: "int32", shape: [2] } as const;
    const read = lower(traceGraph({ x, index }, (nodes) => ({ outputs: { y: gather(nodes.x, nodes.index, 0) } })));
    const add = lower(
      traceGraph({ x: { ...x, shape: [2] }, index }, (nodes) => ({
        outputs: { y: scatterAdd(nodes.index, nodes.x, 0, 3) },
      })),
    );
    for (const wrong of [
      [0, 3],
      [-1, 0],
      [2147483647, 0],
      [0, -2147483648],
    ]) {
      for (const plan of [read, add]) {
        const values = [new Float32Array(plan.inputs[0].shape[0]), arrayOf("int32", wrong)];
        await expect(runPlan(backend, plan, values)).rejects.toThrow(ShapeError);
      }
    }
  });

  test("state in place, several runs on: momentum, a transpose, a swap", async () => {
    const square = { dtype: "float32", shape: [5, 5] } as const;
    const graph = traceGraph({ w: square, m: square, t: square, p: square, q: square }, ({ w, m, t, p, q }) => {
      const next = ops.add(ops.mul(m, 0.9), ops.tanh(w));
      return {
        outputs: { w: ops.sub(w, ops.mul(next, 0.1)), m: next, t: ops.mul(transpose(t), 1.5), p: q, q: p },
        state: ["w", "m", "t", "p", "q"].map((name) => [name, name] as const),
      };
    });
    const plan = lower(graph);
    const inputs = plan.inputs.map(({ shape }, i) => testData(shape, "float32", [-1, 1], i + 1).data);
    const expected = await runPlan(referenceBackend(), plan, inputs, 0, 5);
    const actual = await runPlan(backend, plan, inputs, 0, 5);
    plan.outputs.forEach(({ name }, i) => {
      expectSameBits(actual[i], expected[i], name);
    });
  });
});
