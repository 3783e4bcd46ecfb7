// What runs a plan beside a run gives back all that it took, also where a run or an allocation throws in the middle.
import { expect, test } from "vitest";
import { interpretBackend } from "../../src/backend/interpret.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import { add } from "../../src/ops/elementwise.ts";
import { OpProfiler } from "../../src/train/callbacks/op-profiler.ts";
import { runPlan } from "../../src/verify/record.ts";
import { traceGraph } from "../support/graphs.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

/** A backend that counts what it has given, and throws at a call. */
function counting(inner: Backend, throwAt: { allocation?: number; run?: number }) {
  const held = { buffers: 0, executables: 0 };
  const made = { allocations: 0, runs: 0 };
  const backend: Backend = {
    ...inner,
    name: "counting",
    class: inner.class,
    threads: inner.threads,
    target: inner.target,
    allocate(dtype, size) {
      if (++made.allocations === throwAt.allocation) throw new Error("no more");
      held.buffers++;
      return inner.allocate(dtype, size);
    },
    write: (buffer, data) => inner.write(buffer, data),
    read: (buffer) => inner.read(buffer),
    free(buffer) {
      held.buffers--;
      inner.free(buffer);
    },
    async load(plan) {
      const executable = await inner.load(plan);
      held.executables++;
      return {
        plan,
        sources: executable.sources,
        scratchBytes: executable.scratchBytes,
        run(run) {
          if (++made.runs === throwAt.run) throw new Error("no more");
          return executable.run(run);
        },
        dispose() {
          held.executables--;
          executable.dispose();
        },
      };
    },
    dispose: () => inner.dispose(),
  };
  return { backend, held, made };
}

const x = { dtype: "float32", shape: [3] } as const;
const plan = lower(traceGraph({ x, y: x }, ({ x, y }) => ({ outputs: { z: add(x, y) } })));
const given = { inputs: [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)], seed: 0n, base: 0 };

test.each([{ allocation: 2 }, { allocation: 3 }, { run: 1 }, {}])("runPlan, thrown in at %j", async (at) => {
  const { backend, held } = counting(interpretBackend(), at);
  const run = runPlan(backend, plan, given);
  if (Object.keys(at).length > 0) await expect(run).rejects.toThrow("no more");
  else expect(await run).toEqual([Float32Array.of(5, 7, 9)]);
  expect(held).toEqual({ buffers: 0, executables: 0 });
});

test("OpProfiler, thrown in at any of its allocations and runs", async () => {
  const profiled = async (at: { allocation?: number; run?: number }, callbacks: OpProfiler[]) => {
    const { backend, held, made } = counting(interpretBackend(), at);
    const trainer = toyTrainer({ backend, callbacks, loop: { numSteps: 1 } });
    const failed = await trainer.fit(toyTrain()).then(
      () => false,
      () => true,
    );
    return { failed, made, executables: held.executables, trainer };
  };
  const { made: without } = await profiled({}, []);
  const { made, failed } = await profiled({}, [new OpProfiler({ repeats: 1 })]);
  expect(failed).toBe(false);
  expect(made.runs - without.runs).toBeGreaterThan(2);
  // The init graph, then the profiler's kernels.
  const whole = await profiled({}, [new OpProfiler({ repeats: 1 })]);
  for (const run of [2, 3, 4]) {
    const thrown = await profiled({ run }, [new OpProfiler({ repeats: 1 })]);
    expect(thrown.failed).toBe(true);
    expect(thrown.executables).toBeLessThanOrEqual(whole.executables);
  }
});
