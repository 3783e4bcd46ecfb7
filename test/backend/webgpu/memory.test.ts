// The device's memory: it grows under what is in it, is zero where it is given out again, and says what is wrong.
import { afterAll, describe, expect, test } from "vitest";
import { referenceBackend } from "../../../src/backend/reference.ts";
import type { Backend } from "../../../src/compile/contract.ts";
import { lower } from "../../../src/compile/lower.ts";
import { BackendError } from "../../../src/core/errors.ts";
import * as ops from "../../../src/ops/elementwise.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { webgpuAlone } from "../../support/backends.ts";
import { runPlan, traceGraph } from "../../support/graphs.ts";
import { noWebgpu } from "../../support/swiftshader.ts";

describe.skipIf(noWebgpu)("memory on webgpu", () => {
  const made: Backend[] = [];
  const start = async () => {
    const backend = await webgpuAlone();
    made.push(backend);
    return backend;
  };
  afterAll(async () => {
    for (const backend of made) await backend.dispose();
  });

  test("every dtype comes back as it went in", async () => {
    const backend = await start();
    const arrays = {
      float32: Float32Array.of(0.1, -0, Infinity, 1e-45),
      int32: Int32Array.of(-1, 2 ** 31 - 1, 0, -(2 ** 31)),
      uint32: Uint32Array.of(0, 1, 2 ** 32 - 1, 7),
      bool: Uint8Array.of(1, 0, 0, 1),
    } as const;
    for (const [dtype, array] of Object.entries(arrays)) {
      const buffer = backend.allocate(dtype as "bool", array.length);
      backend.write(buffer, array);
      expect(await backend.read(buffer)).toEqual(array);
    }
    const empty = backend.allocate("float32", 0);
    backend.write(empty, new Float32Array(0));
    expect(await backend.read(empty)).toEqual(new Float32Array(0));
  });

  test("what is there stays when it grows, in a program that was loaded before too; what is given out again is zero", async () => {
    const backend = await start();
    const shape = [1000];
    const plan = lower(
      traceGraph({ x: { dtype: "float32" as const, shape } }, ({ x }) => ({ outputs: { y: ops.add(x, x) } })),
    );
    const executable = await backend.load(plan);
    const [x, y] = [backend.allocate("float32", 1000), backend.allocate("float32", 1000)];
    backend.write(x, new Float32Array(1000).fill(2));
    const run = () => executable.run({ inputs: [x], outputs: [y], seed: 0n, base: 0 });
    await run();
    const large = backend.allocate("float32", 2 ** 20);
    backend.write(large, new Float32Array(2 ** 20).fill(7));
    expect((await backend.read(y)).every((each) => each === 4)).toBe(true);
    backend.write(x, new Float32Array(1000).fill(5));
    await run();
    expect((await backend.read(y)).every((each) => each === 10)).toBe(true);
    backend.free(large);
    expect((await backend.read(backend.allocate("float32", 2 ** 20))).every((each) => each === 0)).toBe(true);
    executable.dispose();
  });

  test("more than the device binds, data of another size, a freed buffer and one of another backend are refused", async () => {
    const [backend, other] = [await start(), await start()];
    expect(() => backend.allocate("float32", 2 ** 30)).toThrow(
      /webgpu: out of memory.*largest buffer that the device binds/s,
    );
    const buffer = backend.allocate("float32", 4);
    expect(() => backend.write(buffer, new Float32Array(3))).toThrow(/sizes differ: got 3, expected 4/);
    expect(() => other.write(buffer, new Float32Array(4))).toThrow(/another backend/);
    backend.free(buffer);
    await expect(backend.read(buffer)).rejects.toThrow(BackendError);
    await backend.dispose();
    expect(() => backend.allocate("float32", 1)).toThrow(/used after it was closed/);
  });

  test("subnormals, overflow, zeros of either sign and NaN are the reference's in sums, which the device's own + would not give", async () => {
    const backend = await start();
    // Few long sums, which invocations share, and many short ones.
    for (const [shape, axes] of [
      [[3, 2500], [1]],
      [[3, 2500], [0]],
      [
        [3, 2500],
        [0, 1],
      ],
      [[5000, 20], [1]],
      [[300, 5000], [0]],
    ]) {
      const values = new Float32Array(shape[0] * shape[1]).map(
        (_, i) => [1e-40, -3e-41, 1, -0, 2 ** -130][i % 5] * (i < 2500 ? 1 : i),
      );
      values[6000] = Infinity;
      const plan = lower(
        traceGraph({ x: { dtype: "float32" as const, shape } }, ({ x }) => ({
          outputs: { y: sum(ops.mul(x, x), axes) },
        })),
      );
      expect(await runPlan(backend, plan, [values])).toEqual(await runPlan(referenceBackend(), plan, [values]));
    }
  });
});
