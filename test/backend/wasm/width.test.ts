// Vectors of 8: kernels as they are printed for them give the scalar path's bits, what gives others is found and named, and where the engine can't
// run two vectors as one, vectors stay of 4.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { wideRefused } from "#engine";
import { neg } from "../../../kernels/expr.ts";
import type { LoopKernel } from "../../../kernels/kernel.ts";
import { loadBackend } from "../../../src/backend/load.ts";
import { wasmBackend } from "../../../src/backend/wasm/backend.ts";
import { checkedExecutable } from "../../../src/backend/wasm/checked.ts";
import { selfTest } from "../../../src/backend/wasm/selftest.ts";
import { findWidth, judge } from "../../../src/backend/wasm/width.ts";
import type { Backend, Executable, Run } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import type { Plan } from "../../../src/compile/plan.ts";
import { ReproError } from "../../../src/core/errors.ts";
import { add, mul } from "../../../src/ops/elementwise.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { cachedNode } from "../../../tools/engines.ts";
import { expectSameBits, runPlan, testData, traceGraph } from "../../support/graphs.ts";
import { root } from "../../support/sources.ts";

const exec = promisify(execFile);

const float32 = { dtype: "float32", shape: [16, 16] } as const;
const graph = traceGraph({ w: float32, x: float32 }, ({ w, x }) => ({
  outputs: { w: add(w, matmul(mul(w, 2), x)) },
  state: [["w", "w"]],
}));

/** The plan with the wrong sign in kernels that write these outputs. */
function withWrongSign(plan: Plan, isWrong: (kernel: LoopKernel, number: number) => boolean): Plan {
  const kernels = plan.kernels.map((kernel, number) =>
    kernel.kind === "loop" && isWrong(kernel, number) ? { ...kernel, body: neg(kernel.body) } : kernel,
  );
  return { ...plan, kernels };
}

describe("the self-test", () => {
  test("finds no operation that gives other bits, however vectors are printed", async () => {
    const [wide, narrow, single] = [{ vectorWidth: 8 }, {}, { simd: false }] as const;
    const backends = await Promise.all([wide, narrow, single].map((options) => wasmBackend(options)));
    const [a, b, c] = backends;
    expect(await selfTest(a, c)).toEqual([]);
    expect(await selfTest(b, c)).toEqual([]);
    for (const backend of backends) await backend.dispose();
  });

  test("names what a fault changes, and then vectors stay of 4", async () => {
    // Its right operand's terms are neighbours.
    const isTransposed = ({ fold, inputs: [, right] }: LoopKernel) => !!fold && right?.view.strides.at(-1) === 1;
    const single = await wasmBackend({ simd: false });
    const inner = await wasmBackend({ vectorWidth: 8 });
    const faulty: Backend = Object.assign(Object.create(inner), {
      load: (plan: Plan) => inner.load(withWrongSign(plan, isTransposed)),
    });
    for (const name of ["allocate", "write", "read", "free"] as const) faulty[name] = inner[name].bind(inner) as never;
    const wrong = await selfTest(faulty, single);
    expect(wrong).toEqual(["matmul transposed"]);
    expect(judge(1.6, wrong)).toEqual({
      width: 4,
      reason: "joined vectors give other bits than single elements do: matmul transposed",
    });
    expect(judge(1.6, [])).toEqual({ width: 8, reason: "two vectors at a time are 1.60 times as fast" });
    expect(judge(1.1, []).width).toBe(4);
    for (const backend of [single, inner]) await backend.dispose();
  });
});

describe("a program at vectors of 8", () => {
  const plan = lower(graph);
  // Small enough for the state to stay finite over a hundred runs.
  const data = [1, 2].map((seed) => testData([16, 16], "float32", [-0.01, 0.01], seed).data);

  /** An executable of the plan whose runs are these. */
  const executableOf = (own: Plan, run: Executable["run"]): Executable => {
    return { plan: own, scratchBytes: 0, sources: [], run, dispose() {} };
  };

  /** Runs the plan checked, `width` 8 being what `load8` makes of it: how many runs there were, and the state after them. */
  async function run(load8: (inner: Backend, plan: Plan) => Executable | Promise<Executable>, runs: number) {
    const backend = await wasmBackend();
    const load = (other: Plan, width: 4 | 8) => (width === 4 ? backend.load(other) : load8(backend, other));
    const executable = checkedExecutable(await load(plan, 8), backend, load);
    const inputs = data.map((each) => {
      const buffer = backend.allocate("float32", each.length);
      backend.write(buffer, each);
      return buffer;
    });
    let done = 0;
    let failure: unknown;
    try {
      for (; done < runs; done++) await executable.run({ inputs, outputs: [inputs[0]], seed: 0n, base: 0 });
    } catch (error) {
      failure = error;
    }
    const state = await backend.read(inputs[0]);
    await backend.dispose();
    return { done, failure, state };
  }

  test("that gives the same as at 4 is run as it is", async () => {
    const { done, failure, state } = await run((inner, other) => inner.load(other), 2);
    const plain = await wasmBackend();
    const twice = await runPlan(plain, plan, data, 0, 2);
    expectSameBits(state, twice[0], "w");
    expect({ done, failure }).toEqual({ done: 2, failure: undefined });
    await plain.dispose();
  });

  test("that gives other bits is a ReproError that names the kernel, before anything is written", async () => {
    const isProduct = ({ fold }: LoopKernel) => fold !== undefined;
    const { done, failure, state } = await run(async (inner, other) => {
      const wrong = await inner.load(withWrongSign(other, isProduct));
      return executableOf(other, (call) => wrong.run(call));
    }, 1);
    expect(done).toBe(0);
    expect(failure).toBeInstanceOf(ReproError);
    expect((failure as Error).message).toMatch(
      /^kernel 1, matmul: vectors of 8 give other bits .* in run 1 .*--vector-width 4/s,
    );
    expectSameBits(state, data[0], "w");
  });

  test("that gives other bits once it is optimized is found then", async () => {
    let isOptimized = false;
    const { done, failure } = await run(async (inner, other) => {
      const [right, wrong] = [await inner.load(other), await inner.load(withWrongSign(other, () => true))];
      let runs = 0;
      return executableOf(other, (call: Run) => {
        isOptimized ||= ++runs > 20;
        return (isOptimized ? wrong : right).run(call);
      });
    }, 100);
    expect(done).toBe(63);
    expect((failure as Error).message).toMatch(/^kernel 0, map: .* in run 64 /);
  });
});

describe("on this engine", () => {
  test("vectors of 8 are there or aren't, and a reason with it", async () => {
    const { width, reason } = await findWidth();
    if (wideRefused() !== undefined) expect({ width, reason }).toEqual({ width: 4, reason: wideRefused() });
    const backend = await loadBackend("wasm", { vectorWidth: "auto" });
    expect(backend.target.vectorWidth).toBe(width);
    await backend.dispose();
    if (width === 8) return;
    await expect(loadBackend("wasm", { vectorWidth: 8 })).rejects.toThrow(/vectors of 8 were asked for .*got /s);
  });

  test.each(["24", "26"] as const)("Node %s's doctor says which", async (major) => {
    const found = cachedNode(major);
    if ("missing" in found) return console.log(`skipped: doctor in Node ${major}: ${found.missing}`);
    const main = [join(root, "node_modules/tsx/dist/cli.mjs"), join(root, "src/cli/main.ts")];
    const { stdout } = await exec(found.path, [...main, "doctor", "--json"]);
    const { vectors, backends } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    const wasm = backends.find(({ backend }: { backend: string }) => backend === "wasm");
    expect(wasm).toMatchObject({ ok: true, vectorWidth: vectors.width });
    expect(vectors.reason).toMatch(/two vectors at a time are \d\.\d\d times as fast|x64/);
  });
});
