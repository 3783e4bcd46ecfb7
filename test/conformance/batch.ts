// Cases in plans of some dozens, since compiling is what costs, and what the reference makes of them.
import { referenceBackend } from "../../src/backend/reference.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import type { Plan } from "../../src/compile/plan.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import type { Node } from "../../src/graph/node.ts";
import { type Data, expectSameBits, runPlan, traceGraph } from "../support/graphs.ts";
import type { Computation } from "./cases/case.ts";

const seed = 2n ** 64n - 59n;
const base = 2 ** 33 + 12345;
const largest = 60;

export interface Batch {
  readonly cases: readonly Computation[];
  readonly plan: Plan;
  readonly inputs: readonly TypedArray[];
  readonly expected: readonly TypedArray[];
}

/** Cases, so many to a plan. */
export function parted<T>(cases: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(cases.length / largest) }, (_, i) =>
    cases.slice(i * largest, (i + 1) * largest),
  );
}

export async function prepare(cases: readonly Computation[]): Promise<Batch> {
  const ports: Record<string, Data> = {};
  cases.forEach((each, at) => {
    each.inputs.forEach((data, i) => {
      ports[`${at}/${i}`] = data;
    });
  });
  const graph = traceGraph(
    ports,
    (nodes) => {
      const outputs: Record<string, Node> = {};
      cases.forEach((each, at) => {
        outputs[`${at} ${each.name}`] = each.build(...each.inputs.map((_, i) => nodes[`${at}/${i}`]));
      });
      return { outputs };
    },
    { seed },
  );
  const plan = lower(graph);
  const inputs = Object.values(ports).map(({ data }) => data);
  return { cases, plan, inputs, expected: await runPlan(referenceBackend(), plan, inputs, base) };
}

/** Where a backend's bits aren't the reference's. */
export async function differing(backend: Backend, { cases, plan, inputs, expected }: Batch): Promise<string[]> {
  const actual = await runPlan(backend, plan, inputs, base);
  return cases.flatMap((each, i) => {
    try {
      expectSameBits(actual[i], expected[i], each.name);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}
