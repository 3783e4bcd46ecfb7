// The cases: unique names, sane counts, and inputs that every side builds alike.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bitsOf, textBits } from "../../bench/bits.ts";
import { families } from "../../bench/cases/families.ts";
import { allCases } from "../../bench/cases/index.ts";
import { type Kernel, programOf } from "../../bench/cases/kernels.ts";
import { planRunner } from "../../bench/cases/plan.ts";
import { lessIsBetter } from "../../bench/results.ts";
import { fill, fillAll, operandsOf } from "../../bench/workloads.ts";
import { loadBackend } from "../../src/index.ts";

test("names are unique, counts are positive, and those that the peers' page names are there", () => {
  const names = allCases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { rounds, calls, warmup, unit, work } of allCases) {
    expect(Math.min(rounds, calls, warmup)).toBeGreaterThanOrEqual(1);
    if (!lessIsBetter(unit)) expect(work).toBeGreaterThan(0);
  }
  expect(names).toEqual(
    expect.arrayContaining(
      [
        "matmul-256",
        "matmul-512",
        "matmul-1024",
        "mlp-small",
        "mlp-large",
        "gpt",
        "add-4m",
        "exp-4m",
        "gelu-4m",
      ].concat(["sum-4m", "softmax-4096x1024", "normal-4m", "exp-64k", "log-64k", "tanh-64k", "barrier-10k", "import"]),
    ),
  );
});

test("each family has a program of PyTorch's by the same name, and one of ours that takes its operands", async () => {
  const peer = readFileSync(new URL("../../bench/peers/torch_peer.py", import.meta.url), "utf8");
  const [, table] = peer.match(/^FAMILIES = \{\n([^}]*)^\}/m)!;
  expect([...table.matchAll(/^ {4}"([^"]+)":/gm)].map(([, name]) => name)).toEqual(Object.keys(families));
  const backend = await loadBackend("reference");
  for (const [name, { operands, program }] of Object.entries(families)) {
    const runner = await planRunner(backend, program, fillAll({ kind: "family", name, operands }));
    await runner.dispose!();
  }
  await backend.dispose();
});

describe("inputs", () => {
  test("are the recurrence's", () => {
    let state = 12346n;
    const expected = Array.from({ length: 5 }, () => {
      state = (state * 1664525n + 1013904223n) % 2n ** 32n;
      return Math.fround(-2 + (Number(state >> 8n) * 4) / 2 ** 24);
    });
    expect([...fill({ shape: [5], range: [-2, 2] }, 1)]).toEqual(expected);
  });

  test("stay in range, and differ by place", () => {
    const indices = fill({ shape: [1000], below: 7 }, 0);
    expect(new Set(indices)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    const [a, b] = fillAll({ kind: "chain", count: 64 });
    expect(bitsOf(a.data)).not.toBe(bitsOf(b.data));
  });

  test("of every workload have the shapes that its program takes, on a small scale", async () => {
    const backend = await loadBackend("reference");
    const workloads: Kernel[] = [
      { kind: "matmul", rows: 3, depth: 5, columns: 2, form: "nn" },
      { kind: "matmul", rows: 3, depth: 5, columns: 2, form: "nt", batch: 2 },
      { kind: "matmul", rows: 3, depth: 5, columns: 2, form: "tn" },
      { kind: "elementwise", op: "maximum", operands: 2, count: 9, range: [-1, 1] },
      { kind: "conv2d", batch: 2, inputs: 3, outputs: 4, extent: 5 },
      { kind: "chain", count: 9 },
      { kind: "sum", rows: 3, columns: 4, axis: 0 },
      { kind: "sum", rows: 3, columns: 4, axis: "all" },
      { kind: "softmax", rows: 3, columns: 4 },
      { kind: "layerNorm", rows: 3, columns: 4 },
      { kind: "gather", rows: 5, columns: 4, count: 6 },
      { kind: "scatter", rows: 5, columns: 4, count: 6 },
      { kind: "uniform", count: 9 },
      { kind: "normal", count: 9 },
      { kind: "permutation", count: 9 },
    ];
    for (const workload of workloads) {
      const runner = await planRunner(backend, programOf(workload), fillAll(workload));
      await runner.run!();
      expect(await runner.bits(), workload.kind).toMatch(/^[0-9a-f]{16}$/);
      expect(operandsOf(workload).length).toBeLessThanOrEqual(2);
    }
    await backend.dispose();
  });
});

test("bits don't tell one NaN from another, and do tell −0 from 0", () => {
  const nan = (word: number) => new Float32Array(Uint32Array.of(word, 0).buffer);
  expect(bitsOf(nan(0x7fc00001))).toBe(bitsOf(nan(0xffc00000)));
  expect(bitsOf(Float32Array.of(-0))).not.toBe(bitsOf(Float32Array.of(0)));
});

test("every elementwise case computes something, on a small scale", async () => {
  const backend = await loadBackend("reference");
  const workloads = allCases.flatMap(({ workload }) => (workload?.kind === "elementwise" ? [workload] : []));
  expect(workloads.length).toBeGreaterThan(20);
  for (const workload of workloads) {
    const small = { ...workload, count: 4 };
    const runner = await planRunner(backend, programOf(small), fillAll(small));
    await runner.run!();
    expect(await runner.bits(), workload.op).toMatch(/^[0-9a-f]{16}$/);
  }
  await backend.dispose();
});

test.each(["barrier-10k", "probe-registers", "probe-tile", "copy-4m"])("%s runs, and ends", async (name) => {
  const subject = allCases.find((other) => other.name === name)!;
  const backend = await loadBackend("wasm", { threads: 2 });
  const runner = await subject.prepare(backend);
  await runner.run!();
  const bits = await runner.bits();
  await runner.run!();
  expect(await runner.bits()).toBe(bits);
  if (name === "barrier-10k") expect(bits).toBe(textBits("done"));
  await runner.dispose?.();
  await backend.dispose();
});
