// Law 5: every backend gives reference's bits, op by op. Many cases go into one plan, since compiling is what costs.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backendNames } from "../../src/backend/load.ts";
import { referenceBackend } from "../../src/backend/reference.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import { ShapeError } from "../../src/core/errors.ts";
import { allRecords } from "../../src/ops/define.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { gather, scatterAdd } from "../../src/ops/gather.ts";
import { transpose } from "../../src/ops/movement.ts";
import { made, slow } from "../support/backends.ts";
import { functions } from "../support/functions.ts";
import { arrayOf, expectSameBits, runPlan, testData, traceGraph } from "../support/graphs.ts";
import { type Batch, differing, parted, prepare } from "./batch.ts";
import { edgeCases } from "./cases/edges.ts";
import { type Case, conformanceCases, opsOf } from "./cases.ts";

// At the edges some calls of each op, and all in `npm run test:conformance`. They are no cases that pin an op's bits: they are others whenever a call is.
const perOp = 2;
const edgeGroup = "public ops at the edges";
const edges = Object.keys(functions).map((name) => ({ name, cases: edgeCases(name, { count: perOp }) }));
const cases: readonly Case[] = [
  ...conformanceCases(),
  ...edges.flatMap((op) => op.cases.map((each) => ({ ...each, group: edgeGroup }))),
];

/** Of each group's cases in plans, each made when it is first asked for. */
function preparedOf(list: readonly Case[]) {
  const groups = new Map<string, Case[]>();
  for (const each of list) groups.set(each.group, [...(groups.get(each.group) ?? []), each]);
  return [...groups].flatMap(([group, members]) =>
    parted(members).map((part, i) => {
      let ready: Promise<Batch> | undefined;
      return {
        name: `${group} ${i + 1}: ${part.length} cases`,
        get: () => {
          ready ??= prepare(part);
          return ready;
        },
      };
    }),
  );
}

/** Every third case, each that has an op as the first, and of each op one at the edges. */
function sampled(): readonly Case[] {
  const seen = new Set<string>();
  const atEdges = new Set(edges.map((op) => op.cases[0].name));
  return cases.filter((each, i) => {
    if (each.group === edgeGroup) return atEdges.has(each.name);
    const fresh = [...opsOf(each)].filter((name) => !seen.has(name));
    for (const name of fresh) seen.add(name);
    return i % 3 === 0 || fresh.length > 0;
  });
}

const prepared = preparedOf(cases);
/** gpu.js compiles for as long as all other backends run together: here it has a sample, and all in `npm run test:conformance`. */
const sample = sampled();
const preparedFor: Readonly<Record<string, typeof prepared>> = { "gpujs:webasm": preparedOf(sample) };

test("every op has a case", () => {
  const seen = new Set(sample.flatMap((each) => [...opsOf(each)]));
  const leaves = allRecords().filter(({ kind }) => kind === "leaf");
  expect(leaves.map(({ name }) => name)).toEqual(["constant", "input", "variable"]);
  const missing = allRecords().filter((record) => record.kind !== "leaf" && !seen.has(record.name));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test("every public op has cases at the edges", () => {
  expect(edges.filter((op) => op.cases.length < perOp).map(({ name }) => name)).toEqual([]);
});

test("every backend there is takes part", () => {
  expect(backendNames.filter((name) => name !== "reference" && !Object.hasOwn({ ...made, ...slow }, name))).toEqual([]);
});

test("case names are unique", () => {
  const names = cases.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

describe.each(Object.entries(made))("%s gives reference's bits", (backendName, load) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await load();
  });
  afterAll(async () => {
    await backend?.dispose();
  });

  for (const { name, get } of preparedFor[backendName] ?? prepared) {
    test(name, async () => {
      expect(await differing(backend, await get())).toEqual([]);
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
