// The cache of compiled graphs, by counted work: a graph is encoded once, a known key finds its plan without encoding, a second trace is
// compared and not compiled, and what a compiled function holds isn't taken from it.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { referenceBackend } from "../../src/backend/reference.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import { compileGraph, findCompiled } from "../../src/compile/cache.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { graphHash, planKey } from "../../src/compile/hash.ts";
import { exp } from "../../src/ops/elementwise.ts";
import { sum } from "../../src/ops/reduce.ts";
import { compile } from "../../src/program/compiled.ts";
import { Variable } from "../../src/program/variable.ts";
import { Stream } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { traceGraph } from "../support/graphs.ts";

const work = vi.hoisted(() => ({ encodings: 0 }));
vi.mock("../../src/core/canonical.ts", async (original) => {
  const real = await original<typeof import("../../src/core/canonical.ts")>();
  class Encoder extends real.Encoder {
    constructor() {
      super();
      work.encodings++;
    }
  }
  return { ...real, Encoder };
});

const graph = () =>
  traceGraph({ x: { dtype: "float32", shape: [8] } }, ({ x }) => ({
    outputs: { y: exp(x) },
    watched: { total: sum(x) },
  }));

/** The backend, and how many plans it was given and was made to give up. */
function counting(backend: Backend) {
  const counts = { loads: 0, disposed: 0 };
  const load = backend.load.bind(backend);
  backend.load = async (plan) => {
    counts.loads++;
    const executable = await load(plan);
    const dispose = executable.dispose.bind(executable);
    executable.dispose = () => {
      counts.disposed++;
      dispose();
    };
    return executable;
  };
  return { backend, counts };
}

beforeEach(() => {
  work.encodings = 0;
});

describe("a graph", () => {
  test("is encoded once: its hash, and beside it what the plan's key adds", async () => {
    const subject = graph();
    const { executable } = await compileGraph(referenceBackend(), subject);
    expect(executable.plan.graphHash).toBe(graphHash(subject));
    expect(executable.plan.key).toBe(planKey(subject));
    expect(work.encodings).toBe(2);
  });

  test("whose key is known finds its plan without any encoding", async () => {
    const { backend, counts } = counting(referenceBackend());
    const subject = graph();
    const { executable, hit } = await compileGraph(backend, subject);
    expect(hit).toBe(false);
    work.encodings = 0;
    expect(await compileGraph(backend, subject)).toEqual({ executable, hit: true });
    expect(findCompiled(backend, planKey(subject))).toBe(executable);
    expect(work.encodings).toBe(0);
    expect(counts.loads).toBe(1);
    expect(findCompiled(referenceBackend(), planKey(subject))).toBeUndefined();
    expect(findCompiled(backend, planKey(graph()))).toBe(executable);
  });
});

describe("a compiled function", () => {
  test("encodes nothing when it runs; strictly, it compiles one trace and compares the other", async () => {
    const { backend, counts } = counting(referenceBackend());
    const f = compile((x: Tensor) => tensor([1, 2]).mul(x).sum(), {
      backend,
      strict: true,
      stream: new Stream(1n),
    });
    await f(1);
    expect([work.encodings, counts.loads]).toEqual([2, 1]);
    for (let i = 0; i < 5; i++) await f(i);
    expect([work.encodings, counts.loads]).toEqual([2, 1]);
  });

  test("keeps its executable, however many other graphs come", async () => {
    const { backend, counts } = counting(await wasmBackend());
    await setDefaultBackend(backend);
    const variable = new Variable(tensor([0]));
    const step = compile(
      () => {
        variable.assign(variable.add(1));
        return variable.mul(10);
      },
      { state: { namedVariables: () => [["buffer/x", variable] as const] }, backend, stream: new Stream(1n) },
    );
    await step();
    for (let i = 0; i < 300; i++) await tensor([1]).mul(i).add(1).data();
    expect(counts.disposed).toBeGreaterThan(0);
    for (let i = 2; i < 6; i++) expect(await (await step()).item()).toBe(10 * i);
    await backend.dispose();
  });
});
