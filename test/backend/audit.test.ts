// An audit of a device that was right when it was tried, and is wrong later: the run stops, and the kernel, the element and both patterns are told.
import { afterAll, beforeAll, expect, test } from "vitest";
import { certified } from "../../src/backend/certificate.ts";
import { hostBackend } from "../../src/backend/host.ts";
import { interpretKernel } from "../../src/backend/interpret.ts";
import { loadBackend } from "../../src/backend/load.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { lower } from "../../src/compile/lower.ts";
import { ReproError } from "../../src/core/errors.ts";
import { mul } from "../../src/ops/elementwise.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { sum } from "../../src/ops/reduce.ts";
import { device } from "../support/faulty.ts";
import { expectSameBits, roughData, runPlan, traceGraph } from "../support/graphs.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

let wasm: Backend;
beforeAll(async () => {
  wasm = await loadBackend("wasm");
});
afterAll(() => wasm?.dispose());

/** A device that, once armed, writes one bit wrong in the output of each kernel that `where` holds for. */
function turning(where: (shape: readonly number[]) => boolean) {
  const state = { isArmed: false };
  const backend = hostBackend({
    name: "device",
    class: "B",
    prepare(kernel, plan) {
      const runner = interpretKernel(kernel, plan);
      return {
        ...runner,
        run(call) {
          const pending = runner.run(call);
          if (!state.isArmed || !where(kernel.shape)) return pending;
          const out = call.array(kernel.output);
          new Uint32Array(out.buffer, out.byteOffset, out.length)[out.length - 3] ^= 1;
        },
      };
    },
  });
  return { backend, state };
}

const plan = lower(
  traceGraph({ a: { dtype: "float32", shape: [2000, 300] }, b: { dtype: "float32", shape: [300, 4] } }, ({ a, b }) => ({
    outputs: { y: sum(mul(matmul(a, b), 3), { axis: 0 }) },
  })),
);
const inputs = [roughData([2000, 300], 1).data, roughData([300, 4], 2).data];

test("every kernel audited: a run without a fault goes on, with the same bits", async () => {
  const backend = await certified(device(), wasm, "", 1);
  const [expected] = await runPlan(wasm, plan, inputs);
  for (let i = 0; i < 3; i++) expectSameBits((await runPlan(backend, plan, inputs))[0], expected, "y");
  expect(backend.certificate!.audit).toEqual({ share: 1, tiles: 3 * plan.kernels.length });
});

test("a fault that begins during a run is found in the tile that it is in, by kernel and element", async () => {
  const { backend, state } = turning((shape) => shape.length === 2);
  const audited = await certified(backend, wasm, "", 1);
  await runPlan(audited, plan, inputs);
  state.isArmed = true;
  let error: ReproError | undefined;
  // A tile is a part of the rows: not each run meets the element.
  for (let i = 0; i < 100 && !error; i++)
    error = await runPlan(audited, plan, inputs).then(
      () => undefined,
      (e) => e,
    );
  expect(error).toBeInstanceOf(ReproError);
  expect(error!.where).toMatch(/^device: kernel 0, matmul \[2000, 4\] over \[300\]: element 7997$/);
  const [got, expected] = [error!.got!, error!.expected!].map((bits) => Number.parseInt(bits, 16));
  expect(got ^ expected).toBe(1);
});

test("the share that was asked for is audited, and none with 0", async () => {
  const runs = 200;
  for (const share of [0, 0.1]) {
    const backend = await certified(device(), wasm, "", share);
    const small = lower(
      traceGraph({ a: { dtype: "float32", shape: [8, 3] } }, ({ a }) => ({ outputs: { y: sum(mul(a, a)) } })),
    );
    for (let i = 0; i < runs; i++) await runPlan(backend, small, [roughData([8, 3], i).data]);
    const { tiles } = backend.certificate!.audit;
    const kernels = runs * small.kernels.length;
    expect(tiles / kernels).toBeGreaterThanOrEqual(share / 2);
    expect(tiles / kernels).toBeLessThanOrEqual(share * 2);
  }
});

test("training: digest, draws and graph are those of a run without an audit; a fault stops it", async () => {
  const { digest } = await toyTrainer({ backend: wasm }).fit(toyTrain());
  const { backend, state } = turning((shape) => shape.length > 0);
  const audited = await certified(backend, wasm, "", 1);
  expect((await toyTrainer({ backend: audited }).fit(toyTrain())).digest).toBe(digest);
  state.isArmed = true;
  await expect(toyTrainer({ backend: audited }).fit(toyTrain())).rejects.toThrow(ReproError);
});
