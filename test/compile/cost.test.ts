// What plans cost, counted by hand; and kernels as text.
import { describe, expect, test } from "vitest";
import { wordOf } from "../../kernels/word.ts";
import { kernelCost, planCost } from "../../src/compile/cost.ts";
import type { Plan } from "../../src/compile/plan.ts";
import { compile } from "../../src/program/compiled.ts";
import { Variable } from "../../src/program/variable.ts";
import { memoryOf } from "../../src/report/memory.ts";
import { showSchedule } from "../../src/report/schedule.ts";
import { Stream } from "../../src/rng/stream.ts";
import { argmax, gather, matmul, max, tensor, uniform } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { plainSchedule } from "../support/arena.ts";

const host = (...shape: number[]) =>
  ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape, dtype: "float32" }) as const;

function planOf(body: (x: Tensor) => unknown, state?: Variable): Promise<Plan> {
  const options = {
    stream: new Stream(1n),
    backend: "reference",
    state: state && { namedVariables: () => [["w", state] as const] },
  };
  return compile(body as never, options).plan(host(6, 4) as never);
}

describe("cost", () => {
  test("a product: 2·m·n·k, each operand once", async () => {
    const plan = await planOf((x) => matmul(x, x.transpose()));
    expect(planCost(plan)).toEqual({ flops: 2 * 6 * 6 * 4, bytesRead: 2 * 6 * 4 * 4, bytesWritten: 6 * 6 * 4 });
  });

  test("elementwise: its arithmetic; a repeated row is read once", async () => {
    const row = tensor([1, 2, 3, 4]);
    const plan = await planOf((x) => x.mul(row).add(1).sqrt().relu());
    expect(plan.kernels.length).toBe(1);
    expect(kernelCost(plan.kernels[0], plan)).toEqual({
      flops: 3 * 24,
      bytesRead: 24 * 4 + 4 * 4,
      bytesWritten: 24 * 4,
    });
  });

  test("a sum: an addition a term; max and argmax none", async () => {
    expect(planCost(await planOf((x) => x.mul(2).sum({ axis: 1 }))).flops).toBe(24 * 2);
    expect(planCost(await planOf((x) => max(x, { axis: 1 }))).flops).toBe(0);
  });

  test("memory: arguments, state once, constants, and the arena's lower bound", async () => {
    const w = new Variable(tensor(new Float32Array(24), { shape: [6, 4] }));
    const plan = await planOf((x) => {
      w.assign(w.sub(x.exp()));
      return x.sum();
    }, w);
    const schedule = plainSchedule(plan);
    const memory = memoryOf(schedule);
    expect(memory).toMatchObject({
      inputs: 96,
      state: 96,
      constants: 0,
      arena: schedule.arenaBytes,
      lowerBound: schedule.lowerBoundBytes,
    });
    expect(memory.peak).toBe(96 + 96 + schedule.arenaBytes + 4);
  });
});

describe("listing", () => {
  test("every kernel, what it reads and computes, and the order of its sums", async () => {
    const plan = await planOf((x) => {
      const noise = uniform([6, 4]);
      const products = matmul(x, x.transpose());
      const picked = gather(products, argmax(x, { axis: 1, keepDims: true }), 1);
      return [x.add(noise).sum({ axis: 0 }), x.sum(), picked, x.exp()];
    });
    const text = showSchedule(plainSchedule(plan));
    for (const [i, kernel] of plan.kernels.entries()) expect(text).toContain(`kernel ${i}: ${wordOf(kernel)} → `);
    expect(text).toContain('a = "argument/0" float32[6, 4]');
    expect(text).toMatch(/[ab] = draws \[0, 24\) from the base, uint32\[6, 4\]/);
    expect(text).toContain("out[i, j] = sum of a[i, k]·b[k, j], k < 4: chunks of 256, ascending");
    expect(text).toMatch(/by strides \[6, 0\] plus 1 × v\d+ int32\[6, 1\], an index below 6/);
    expect(text).toContain("float32[4, 6] by strides [1, 4]");
    expect(text).toContain("out = sum of x over [6]: chunks of 256, ascending");
    expect(text).toContain("out = sum of x over [6, 4]: blocks of 1024, 16 lanes in each");
    expect(text).toContain("out = argmax of x over [4]");
    expect(text).toMatch(/t\d+ = \(\(a < -104\) \? -104 : a\)|t\d+ = \(a < -104\) \? -104 : a/);
    expect(text.split("\n").length).toBeGreaterThan(3 * plan.kernels.length);
  });
});
