// gpujs:webgpu on SwiftShader, which flushes subnormals and reassociates: what it was found to get right runs there, the rest on the interpreter, and a run has class A's digest.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import type { LoopKernel } from "../../kernels/kernel.ts";
import { gpujsOver, gpujsWebgpu } from "../../src/backend/gpujs/backend.ts";
import { type Facade, openGpu } from "../../src/backend/gpujs/facade.ts";
import { interpretBackend } from "../../src/backend/interpret.ts";
import { loadBackend } from "../../src/backend/load.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { BackendError, ReproError } from "../../src/core/errors.ts";
import { expectSameBits, runPlan } from "../support/graphs.ts";
import { anyData, planOf, type Source, type Unplaced, whole } from "../support/kernels.ts";
import { noWebgpu } from "../support/swiftshader.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

/** A map over `inputs` arrays. */
const map = (inputs: number, body: e.Expr): Unplaced<LoopKernel> => ({
  kind: "loop",
  dtype: body.type,
  shape: [64],
  inputs: Array.from({ length: inputs }, (_, i) => whole(i, [64])),
  body,
});
const sources = (count: number): Source[] => Array.from({ length: count }, () => ({ dtype: "float32", size: 64 }));
const x = Array.from({ length: 9 }, (_, i) => e.input(i, "float32"));

describe.skipIf(noWebgpu)("on SwiftShader", () => {
  let backend: Backend;
  let gpu: Facade;
  beforeAll(async () => {
    backend = await gpujsWebgpu(await loadBackend("wasm"), 1);
    gpu = await openGpu("webgpu");
  });
  afterAll(async () => {
    await backend?.dispose();
    gpu?.destroy();
  });

  const placed = async (on: Backend, kernel: Unplaced, count: number) => {
    const plan = planOf(kernel, sources(count));
    const executable = await on.load(plan);
    const [{ where, fault }] = executable.sources;
    executable.dispose();
    const inputs = sources(count).map((source, i) => anyData(source, i));
    expectSameBits((await runPlan(on, plan, inputs))[0], (await runPlan(interpretBackend(), plan, inputs))[0], where);
    return fault === undefined ? where : `${where}, since it failed ${fault}`;
  };

  test("what the device does right runs on it, the rest on the interpreter, which says why", async () => {
    expect(await placed(backend, map(1, e.abs(x[0])), 1)).toBe("gpujs:webgpu");
    expect(await placed(backend, map(2, e.mul(x[0], x[1])), 2)).toBe("interpreter, since it failed mul");
    const { device, primitives } = backend.certificate!;
    expect(device).toMatch(/swiftshader/i);
    const failed = primitives.filter(({ fault }) => fault !== undefined).map(({ name }) => name);
    for (const name of ["add", "div", "sqrt", "exp", "max of rows", "mul, then div"]) expect(failed).toContain(name);
    for (const name of ["abs", "select", "high16"]) expect(failed).not.toContain(name);
  });

  test("a kernel of more arrays than gpu.js binds runs on the interpreter", async () => {
    const device = gpujsOver(gpu, "webgpu");
    const all = (count: number) =>
      map(
        count,
        x.slice(0, count).reduce((sum, each) => e.select(e.lt(each, 1), e.abs(each), sum)),
      );
    expect((await device.load(planOf(all(5), sources(5)))).sources[0].where).toBe("gpujs:webgpu");
    expect((await device.load(planOf(all(6), sources(6)))).sources[0].where).toBe("interpreter");
  });

  test("training has class A's digest in strict, every kernel on the device audited; the device alone is refused", async () => {
    const { digest } = await toyTrainer({ backend: "wasm" }).fit(toyTrain());
    expect((await toyTrainer({ backend }).fit(toyTrain())).digest).toBe(digest);
    expect(backend.certificate!.audit.tiles).toBeGreaterThan(0);
    await expect(toyTrainer({ backend: gpujsOver(gpu, "webgpu") }).fit(toyTrain())).rejects.toThrow(ReproError);
  });

  test("the entry to WebGPU is where gpu.js looks for it only while that opens", () => {
    expect((globalThis as { navigator?: { gpu?: unknown } }).navigator?.gpu).toBeUndefined();
  });

  test("what gpu.js rejects is a BackendError", async () => {
    const kernel = gpu.kernel("function (a) { return a[this.thread.x] + b; }", 4, [4]);
    await expect((async () => kernel.run(new Float32Array(4)))()).rejects.toThrow(BackendError);
  });
});
