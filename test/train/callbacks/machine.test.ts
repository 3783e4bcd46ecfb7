// Callbacks that measure the machine, and those that set how much is said.
import { describe, expect, test } from "vitest";
import { loadBackend } from "../../../src/backend/load.ts";
import type { Backend } from "../../../src/compile/contract.ts";
import { canonicalBytes, sha256, toHex } from "../../../src/core/canonical.ts";
import { ConfigError } from "../../../src/core/errors.ts";
import { GlobalFlags, ScopedFlags } from "../../../src/train/callbacks/flags.ts";
import { FlopUtilization } from "../../../src/train/callbacks/flop-utilization.ts";
import { OpProfiler } from "../../../src/train/callbacks/op-profiler.ts";
import { parseConfig } from "../../../src/train/config/parse.ts";
import type { Callback } from "../../../src/train/contract.ts";
import { recorded } from "../../support/recorded.ts";
import { toyTest, toyTrain, toyTrainer } from "../../support/toy.ts";

describe("OpProfiler", () => {
  test.each(["wasm", "gpujs:webasm"])(
    "%s: every kernel of the step, timed alone, slowest first; the run is the same run",
    async (backend) => {
      const plain = await recorded([], { loop: { numSteps: 3 } });
      const profiler = new OpProfiler({ rows: 3, repeats: 2 });
      const { run, messages } = await recorded([profiler], { backend, loop: { numSteps: 3 } });
      expect([run.digest, run.streamPosition]).toEqual([plain.run.digest, plain.run.streamPosition]);
      const kernels = profiler.profile.map(({ kernel }) => kernel);
      expect([...kernels].sort((a, b) => a - b)).toEqual(kernels.map((_, i) => i));
      expect(kernels.length).toBeGreaterThan(8);
      const seconds = profiler.profile.map((entry) => entry.seconds!);
      expect(seconds.every((value) => value >= 0 && value < 1)).toBe(true);
      expect(seconds).toEqual([...seconds].sort((a, b) => b - a));
      // The forward product of the first layer: 16 samples, 4 inputs, 8 outputs, a multiply and an add each.
      const products = profiler.profile.filter(({ kind, shape }) => kind === "matmul" && String(shape) === "16,8");
      expect(products.map(({ flops }) => flops)).toContain(2 * 16 * 4 * 8);
      const table = messages.find((text) => text.includes("kernels of the training step"))!.split("\n");
      expect(table).toHaveLength(2 + 3);
      expect(table[1]).toMatch(/^kernel +kind +output +µs +share +FLOP +bytes$/);
    },
  );

  test.each([
    ["a step", { numSteps: 2 }],
    ["an accumulated step", { numSteps: 2, gradAccumSteps: 2 }],
  ])("what is timed is %s's own data: its outputs come out, bit for bit", async (_, loop) => {
    const inner = await loadBackend("wasm");
    /** What the training step gave, and what kernels alone gave. */
    const [whole, alone]: [Map<string, string>[], string[]] = [[], []];
    const backend: Backend = {
      name: "watched",
      class: "A",
      threads: 1,
      target: inner.target,
      allocate: (dtype, size) => inner.allocate(dtype, size),
      write: (buffer, data) => inner.write(buffer, data),
      read: (buffer) => inner.read(buffer),
      free: (buffer) => inner.free(buffer),
      dispose: () => {},
      async load(plan) {
        const executable = await inner.load(plan);
        return {
          plan,
          sources: executable.sources,
          scratchBytes: executable.scratchBytes,
          dispose: () => executable.dispose(),
          async run(run) {
            await executable.run(run);
            const digests = new Map<string, string>();
            for (const [i, { name }] of plan.outputs.entries())
              digests.set(name, toHex(sha256(canonicalBytes(await inner.read(run.outputs[i])))));
            if (digests.has("result")) whole.push(digests);
            else if (plan.kernels.length === 1) alone.push(...digests.values());
          },
        };
      },
    };
    const plain = await recorded([], { loop });
    const { run } = await recorded([new OpProfiler({ repeats: 1 })], { loop, backend });
    expect(run.digest).toBe(plain.run.digest);
    expect(whole).toHaveLength(2);
    expect(whole[0].size).toBeGreaterThan(12);
    for (const [name, digest] of whole[0]) expect(alone, name).toContain(digest);
    expect(alone).not.toContain(whole[1].get("parameter/0.weight"));
  });

  test("reference runs no kernels: their arithmetic alone", async () => {
    const profiler = new OpProfiler();
    await recorded([profiler], { loop: { numSteps: 1 } });
    expect(profiler.profile.every(({ seconds }) => seconds === undefined)).toBe(true);
    expect(profiler.profile[0].flops).toBeGreaterThan(0);
    expect(() => new OpProfiler({ rows: 0 })).toThrow(ConfigError);
  });
});

test("FlopUtilization: the plan's arithmetic over the steps' time", async () => {
  const slow: Callback = { onValidateStart: () => new Promise((resolve) => setTimeout(resolve, 300)) };
  const { metrics, trainer } = await recorded([new FlopUtilization({ peak: 2 }), slow], {
    backend: "wasm",
    loop: { numSteps: 4, evalFrequency: 2 },
  });
  const rates = metrics["flops/gflops_per_second"].map(([, rate]) => rate);
  expect(rates).toHaveLength(4);
  metrics["flops/utilization"].forEach(([, share], i) => expect(share).toBe(rates[i] / 2));
  expect(rates.every((rate) => rate > 0 && rate < 1000)).toBe(true);
  // A step of some 10⁴ operations: were the 300 ms of validation in it, the rate would be below 10⁻⁴.
  expect(rates[2]).toBeGreaterThan(1e-4);
  expect(trainer.step).toBe(4);
  expect(() => new FlopUtilization({ peak: 0 })).toThrow(/peak/);
});

describe("flags", () => {
  test("GlobalFlags: over what logging says", async () => {
    const { metrics, messages } = await recorded([new GlobalFlags({ logSteps: 2, logLevel: "error" })]);
    expect(metrics.loss.map(([step]) => step)).toEqual([2, 4]);
    expect(messages).toEqual([]);
  });

  test("ScopedFlags: for a part, and then as before", async () => {
    const said: string[] = [];
    const speaker: Callback = {
      onFitStart: ({ trainer }) => trainer.message("info", "start"),
      onTrainStepEnd: ({ trainer, step }) => trainer.message("info", `step ${step}`),
      onValidateBatchEnd: ({ trainer, index }) => trainer.message("info", `batch ${index}`),
      onFitEnd: ({ trainer }) => trainer.message("info", "end"),
    };
    const flags = new ScopedFlags({ train: { logLevel: "warn", logSteps: 3 }, validate: { logLevel: "info" } });
    const { messages, metrics } = await recorded([flags, speaker]);
    said.push(...messages.map((text) => text.replace("info: ", "")));
    expect(said).toEqual(["start", "batch 0", "batch 1", "batch 2", "end"]);
    expect(metrics.loss.map(([step]) => step)).toEqual([3, 4]);
  });

  test.each(["onTrainStart", "onTrainEnd", "onValidateStart", "onValidateEnd"] as const)(
    "what another callback's %s fails in is left once",
    async (hook) => {
      for (const after of [true, false]) {
        const told: number[] = [];
        const broken: Callback = {
          [hook]: () => {
            throw new Error("no");
          },
        };
        const watcher: Callback = {
          onTrainException: ({ trainer }) => void told.push(Number(trainer.options.logging.logSteps)),
        };
        const flags = new ScopedFlags({ train: { logSteps: 7 }, validate: { logSteps: 8 } });
        const callbacks = [watcher, ...(after ? [flags, broken] : [broken, flags])];
        const trainer = toyTrainer({ callbacks, loop: { numSteps: 2, evalFrequency: 1 } });
        await expect(trainer.fit(toyTrain(), toyTest())).rejects.toThrow(/no/);
        expect(trainer.options.logging.logSteps).toBe(10);
        // A validation that failed has put back the flags of training, not those before it.
        if (hook.startsWith("onValidate")) expect(told).toEqual([7]);
      }
    },
  );

  test("an error in training leaves no flag behind; bad flags are refused", async () => {
    const broken: Callback = {
      onValidateBatchEnd() {
        throw new Error("no");
      },
    };
    const trainer = toyTrainer({
      callbacks: [new ScopedFlags({ train: { logSteps: 7 }, validate: { logSteps: 8 } }), broken],
      loop: { numSteps: 2, evalFrequency: 1 },
    });
    await expect(trainer.fit(toyTrain(), toyTest())).rejects.toThrow(/no/);
    expect(trainer.options.logging.logSteps).toBe(10);
    expect(() => new GlobalFlags({ logLevel: "loud" as never })).toThrow(/"debug" or "info"/);
    expect(() => new ScopedFlags({ train: { logSteps: 0 } })).toThrow(/ScopedFlags\.train\.logSteps/);
    expect(() => new GlobalFlags({ logStep: 3 } as never)).toThrow(
      /GlobalFlags\.logStep: unknown key: got logStep, expected one of logLevel, logSteps\nHint: did you mean logSteps\?/,
    );
    expect(() => new ScopedFlags({ validate: { "csx.debug.log": 1 } as never })).toThrow(
      /ScopedFlags\.validate\.csx\.debug\.log: unknown key/,
    );
    expect(() => new ScopedFlags({ vaildate: {} } as never)).toThrow(/did you mean validate\?/);
    const yaml = (flags: string) =>
      parseConfig(`trainer: {init: {seed: 1, model: {name: mlp, sizes: [2, 2]}, callbacks: [${flags}]}}`, "f.yaml");
    expect(() => yaml("GlobalFlags: {log_setps: 2}")).toThrow(
      /f\.yaml:1:\d+: .*log_setps[\s\S]*did you mean log_steps\?/,
    );
    expect(() => yaml("ScopedFlags: {train: {csx.performance.x: 2}}")).toThrow(/unknown key: got csx\.performance\.x/);
  });
});
