// A run that a bad index ends: state is as it was before, and the index that is told is the first, on every backend, with any number of threads.
import { afterAll, describe, expect, test } from "vitest";
import { loadBackend } from "../../src/backend/load.ts";
import { wasmBackend } from "../../src/backend/wasm/backend.ts";
import type { Backend } from "../../src/compile/contract.ts";
import { ShapeError } from "../../src/core/errors.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { Variable } from "../../src/program/variable.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import * as sg from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { webgpuAlone } from "../support/backends.ts";
import { noWebgpu } from "../support/swiftshader.ts";

const made: Backend[] = [];
const backends: [string, () => Promise<Backend>][] = [
  ["reference", () => loadBackend("reference")],
  ["gpujs:cpu", () => loadBackend("gpujs:cpu")],
  ["wasm", () => wasmBackend({ shareFrom: 0 })],
  ["wasm without SIMD", () => wasmBackend({ simd: false })],
  ["wasm on 2 threads", () => wasmBackend({ threads: 2, shareFrom: 0, patience: 0 })],
  ["wasm on 3 threads", () => wasmBackend({ threads: 3, shareFrom: 0 })],
  ...(noWebgpu ? [] : [["webgpu", webgpuAlone] satisfies [string, () => Promise<Backend>]]),
];
afterAll(async () => {
  for (const backend of made) await backend.dispose();
});

describe.each(backends)("%s", (_, make) => {
  const start = async () => {
    manualSeed(1);
    const backend = await make();
    made.push(backend);
    return backend;
  };

  test("state written before, beside and from what is refused stays as it was", async () => {
    const backend = await start();
    const cells = {
      early: new Variable(sg.uniform([64, 8])),
      table: new Variable(sg.uniform([10, 8])),
      late: new Variable(sg.uniform([64, 8])),
      count: new Variable(sg.tensor(0, { dtype: "int32" })),
    };
    const step = compile(
      (index: Tensor, later: Tensor) => {
        const { early, table, late, count } = cells;
        count.assign(count.add(1));
        early.assign(early.mul(2).add(1));
        const rows = sg.take(table, index);
        const loss = rows.mul(early).sum();
        const [gradient] = gradients(loss, [table]);
        table.assign(table.sub(gradient.mul(0.1)));
        // Read from a version that this step has made: its check comes last of all.
        late.assign(late.add(sg.take(table, later)));
        return loss;
      },
      { state: { namedVariables: () => Object.entries(cells) }, backend },
    );
    const read = async () => Promise.all(Object.values(cells).map((cell) => cell.data()));
    const good = sg.tensor(Int32Array.from({ length: 64 }, (_, i) => i % 10));
    const bad = (at: number) => sg.tensor(Int32Array.from({ length: 64 }, (_, i) => (i === at ? 10 : i % 10)));
    await step(good, good);
    const before = await read();
    for (const at of [0, 40, 63]) {
      await expect(step(bad(at), good)).rejects.toThrow(ShapeError);
      expect(await read()).toEqual(before);
      await expect(step(good, bad(at))).rejects.toThrow(ShapeError);
      expect(await read()).toEqual(before);
    }
    await step(good, good);
    expect(await cells.count.item()).toBe(2);
  });

  test("the first index out of range is told, and of the first op that takes one", async () => {
    const backend = await start();
    const take = compile((t: Tensor, i: Tensor) => sg.take(t, i), { backend });
    const two = compile((t: Tensor, i: Tensor, j: Tensor) => sg.take(t, i).add(sg.take(t.mul(2), j)), { backend });
    const along = compile((t: Tensor, i: Tensor) => sg.gather(t, i, 0), { backend });
    const table = sg.uniform([10, 64]);
    const indices = (bad: Record<number, number>, size = 512) => {
      const data = new Int32Array(size).fill(1);
      for (const [at, index] of Object.entries(bad)) data[Number(at)] = index;
      return sg.tensor(data);
    };
    for (let i = 0; i < 10; i++) {
      await expect(take(table, indices({ 100: 99, 300: 88, 500: 77 }))).rejects.toThrow(/got 99\b/);
      await expect(two(table, indices({ 400: 55 }), indices({ 2: 66 }))).rejects.toThrow(/got 55\b/);
      await expect(two(table, indices({}), indices({ 2: 66, 1: -7 }))).rejects.toThrow(/got -7\b/);
      // Row-major: [3, 60] comes before [5, 2], whichever axis threads share.
      const grid = indices({ [3 * 64 + 60]: 44, [5 * 64 + 2]: 33 }, 8 * 64).reshape([8, 64]);
      await expect(along(table, grid)).rejects.toThrow(/got 44\b/);
    }
    expect(await (await take(table, indices({}))).data()).toEqual(await (await take(table, indices({}))).data());
  });
});
