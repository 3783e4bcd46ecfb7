// Plans of one backend run one after another in one workspace: memory grows to what the largest needs, wherever it moves the bits stay.
import { expect, test, vi } from "vitest";
import { referenceBackend } from "../../../src/backend/reference.ts";
import { wasmBackend } from "../../../src/backend/wasm/backend.ts";
import type { Executable } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import { BackendError } from "../../../src/core/errors.ts";
import { exp, mul } from "../../../src/ops/elementwise.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import { transpose } from "../../../src/ops/movement.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { schedulePlan } from "../../../src/schedule/schedule.ts";
import { expectSameBits, runPlan, testData, traceGraph } from "../../support/graphs.ts";

/** A plan with values in the arena, of about 8·n² bytes, and scratch memory. */
const planOf = (n: number) =>
  lower(
    traceGraph({ x: { dtype: "float32", shape: [n, n] } }, ({ x }) => {
      const e = exp(mul(x, 0.01));
      const product = matmul(e, transpose(e, [1, 0]));
      return { outputs: { y: sum(mul(product, product), { axis: 1 }), z: sum(product, { axis: 0 }) } };
    }),
  );

test.each([1, 3])("threads: %d", async (threads) => {
  const grow = vi.spyOn(WebAssembly.Memory.prototype, "grow");
  const backend = await wasmBackend({ threads, shareFrom: 0 });
  const sizes = [70, 20, 400, 33, 400, 390, 398, 396, 394, 392];
  const plans = sizes.map(planOf);
  const runs: [Executable, number][] = [];
  for (const [i, plan] of plans.entries()) runs.push([await backend.load(plan), i]);
  const expected = await Promise.all(
    plans.map((plan) => runPlan(referenceBackend(), plan, [testData(plan.inputs[0].shape).data])),
  );
  for (let round = 0; round < 2; round++) {
    for (const [executable, i] of runs) {
      const { plan } = executable;
      const [x, y, z] = [...plan.inputs, ...plan.outputs].map(({ shape, dtype }) =>
        backend.allocate(
          dtype,
          shape.reduce((size, extent) => size * extent, 1),
        ),
      );
      backend.write(x, testData(plan.inputs[0].shape).data);
      await executable.run({ inputs: [x], outputs: [y, z], seed: 0n, base: 0 });
      expectSameBits(await backend.read(y), expected[i][0], `${sizes[i]}, y, round ${round}`);
      expectSameBits(await backend.read(z), expected[i][1], `${sizes[i]}, z, round ${round}`);
      for (const buffer of [x, y, z]) backend.free(buffer);
    }
  }
  const bytes = grow.mock.calls.reduce((total, [pages]) => total + pages * 65536, 0);
  grow.mockRestore();
  const arenas = plans.map((plan) => schedulePlan(plan, backend.target).arenaBytes);
  expect(arenas.reduce((total, size) => total + size)).toBeGreaterThan(1.5 * bytes);
  // What one plan's dispose gives back is not the workspace.
  runs[2][0].dispose();
  const again = await runPlan(backend, plans[4], [testData([400, 400]).data]);
  expectSameBits(again[0], expected[4][0], "after another's end");
  await backend.dispose();
  if (threads > 1) await expect(async () => backend.load(plans[0])).rejects.toThrow(BackendError);
});
