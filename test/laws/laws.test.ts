// The laws of docs/design.md at the level of a whole run. Laws 1 and 7 about the source's text, 3, 6, 8 and 10 about steps and watching, and the
// op-by-op side of 5 have their own files: laws/elementary, program/compiled, compile/fusion, train/trainer, conformance.
import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import { compile } from "../../src/program/compiled.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { manualSeed, Stream } from "../../src/rng/stream.ts";
import { dropout, normal, ones, uniform, zeros } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { script } from "../support/cli.ts";
import { toyModel, toyOptions, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const reference = async () => (await toyTrainer().fit(toyTrain())).digest;

describe("law 1: one stream", () => {
  test("a run with Math.random and the clock's Date poisoned is the same run", async () => {
    const expected = await reference();
    vi.spyOn(Math, "random").mockImplementation(() => {
      throw new Error("Math.random was called");
    });
    vi.spyOn(Date, "now").mockImplementation(() => {
      throw new Error("Date.now was called");
    });
    expect(await reference()).toBe(expected);
  });

  test("host functions that differ between engines are never asked", async () => {
    const expected = await reference();
    for (const name of ["exp", "log", "sin", "cos", "tanh", "pow", "expm1", "log1p"] as const) {
      vi.spyOn(Math, name).mockImplementation(() => {
        throw new Error(`Math.${name} was called`);
      });
    }
    expect(await reference()).toBe(expected);
  });

  test("the number of draws depends on shapes alone", () => {
    for (const p of [0.1, 0.9]) {
      const stream = manualSeed(1);
      dropout(zeros([3, 5]), p);
      normal([7]);
      uniform([2], -1, 1);
      expect(stream.position).toBe(24);
    }
  });

  test("neither the order of reading nor laziness moves a draw", async () => {
    manualSeed(5);
    const [a, b] = [uniform([4]), uniform([4])];
    const forwards = [await a.data(), await b.data()];
    manualSeed(5);
    const [c, d] = [uniform([4]), uniform([4])];
    const backwards = [await d.data(), await c.data()].reverse();
    expect(backwards).toEqual(forwards);
  });
});

describe("law 2: position is state", () => {
  test("a stream put at a position goes on as the one that came there", async () => {
    const whole = new Uint32Array(100);
    fillWords(9n, 0, whole);
    const stream = new Stream(9n);
    stream.reserve(37);
    const resumed = new Stream(9n, stream.position);
    const offset = resumed.reserve(63);
    const tail = new Uint32Array(63);
    fillWords(9n, offset, tail);
    expect(tail).toEqual(whole.subarray(37));
  });
});

describe("law 4: the hash includes the seed, and nothing of machine or moment", () => {
  test("the same in another process, with another locale, time zone and working directory", async () => {
    const program = `import { toyTrain, toyTrainer } from ${JSON.stringify(script("toy"))};
      const { digest, graphHash } = await toyTrainer().fit(toyTrain()); console.log(digest, graphHash);`;
    const here = await toyTrainer().fit(toyTrain());
    const there = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: "/",
      encoding: "utf8",
      env: { ...process.env, TZ: "Asia/Tokyo", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
    });
    expect(there.trim()).toBe(`${here.digest} ${here.graphHash}`);
  });

  test("key order of options never matters; seed, shape and op do", async () => {
    const reversed = Object.fromEntries(Object.entries(toyOptions()).reverse()) as ReturnType<typeof toyOptions>;
    const base = await toyTrainer({ loop: { numSteps: 1 } }).fit(toyTrain());
    const again = await new Trainer({ ...reversed, loop: { numSteps: 1 } }).fit(toyTrain());
    expect([again.graphHash, again.digest]).toEqual([base.graphHash, base.digest]);
    const hashes = [base.graphHash];
    hashes.push((await toyTrainer({ seed: 8, loop: { numSteps: 1 } }).fit(toyTrain())).graphHash);
    hashes.push((await toyTrainer({ loop: { numSteps: 1 } }).fit(toyTrain({ batchSize: 8 }))).graphHash);
    expect(new Set(hashes).size).toBe(3);
  });
});

describe("law 5: every backend gives the same run", () => {
  test.each<[string, number?]>([["wasm"], ["wasm", 2], ["wasm", 3], ["wasm", 8], ["gpujs:webasm"], ["gpujs:cpu"]])(
    "%s, threads %s",
    async (backend, threads) => {
      const expected = await toyTrainer().fit(toyTrain(), toyTest());
      const run = await toyTrainer({ backend, threads }).fit(toyTrain(), toyTest());
      expect([run.digest, run.graphHash, run.loss, run.metrics]).toEqual([
        expected.digest,
        expected.graphHash,
        expected.loss,
        expected.metrics,
      ]);
    },
  );
});

describe("law 9: reading is async, checking is not", () => {
  test("a wrong shape throws where the op is called, and nothing was computed", () => {
    expect(() => ones([2, 3]).matmul(ones([2, 3]))).toThrow(ShapeError);
    expect(ones([2]).exp().data()).toBeInstanceOf(Promise);
  });
});

describe("law 11: a wrong thing is loud", () => {
  test("an index out of range, whatever the backend", async () => {
    const table = toyModel();
    const take = compile((x: Tensor, i: Tensor) => x.take(i), { state: table });
    const index = { data: Int32Array.of(5), shape: [1], dtype: "int32" } as unknown as Tensor;
    await expect(take(ones([4, 2]), index)).rejects.toThrow(ShapeError);
  });
});
