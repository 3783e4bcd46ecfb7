// Histograms of tensors: their buckets, and the way from a callback through TensorBoard's event file to an independent reader.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { type Histogram, histogramOf } from "../../src/io/histogram.ts";
import { TensorSummaries, type TensorSummariesOptions } from "../../src/train/callbacks/tensor-summaries.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Callback, Logger } from "../../src/train/contract.ts";
import { TensorBoardLogger } from "../../src/train/loggers/tensorboard.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";
import { Summarizing, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

/** How many elements lie in each bucket, counted bound by bound. */
const counted = (elements: readonly number[], limits: readonly number[]) =>
  limits.map(
    (limit, i) =>
      elements.filter((x) => (i === 0 || x >= limits[i - 1]) && (x < limit || (i === limits.length - 1 && x === limit)))
        .length,
  );

describe("histogramOf", () => {
  test("floats of any size: bounds ascend, and each element is in the bucket that its bounds say", () => {
    const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 80 });
    const close = fc.array(
      fc.integer({ min: 0x3f800000, max: 0x3f800040 }).map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0]),
      { minLength: 1, maxLength: 80 },
    );
    fc.assert(
      fc.property(fc.oneof(floats, close), (elements) => {
        const { min, max, count, sum, sumOfSquares, limits, counts } = histogramOf(Float32Array.from(elements))!;
        const distinct = new Set(elements.map((x) => x + 0)).size;
        expect([min, max, count]).toEqual([Math.min(...elements) + 0, Math.max(...elements) + 0, elements.length]);
        expect(limits).toHaveLength(distinct === 1 ? 1 : 30);
        for (let i = 1; i < limits.length; i++) expect(limits[i]).toBeGreaterThan(limits[i - 1]);
        expect(limits.at(-1)).toBe(max);
        expect(counts).toEqual(counted(elements, limits));
        expect(sum).toBe(elements.reduce((total, x) => total + x, 0));
        expect(sumOfSquares).toBe(elements.reduce((total, x) => total + x * x, 0));
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  test("bounds, written out", () => {
    const { limits, counts } = histogramOf([0, 1, 2, 29, 30])!;
    expect(limits).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(counts).toEqual([1, 1, 1, ...Array(26).fill(0), 2]);
  });

  test("equal elements are one bucket; what isn't finite is left out; nothing finite is none", () => {
    expect(histogramOf([2, 2])).toEqual({
      min: 2,
      max: 2,
      count: 2,
      sum: 4,
      sumOfSquares: 8,
      limits: [2],
      counts: [2],
    });
    expect(histogramOf([Number.NaN, 2, Infinity, -Infinity])).toMatchObject({ count: 1, min: 2, max: 2 });
    expect(histogramOf([Number.NaN])).toBeUndefined();
    expect(histogramOf([])).toBeUndefined();
  });
});

const all: TensorSummariesOptions = { parameters: ["*"], gradients: ["3.*"], activations: ["0"], histograms: true };

describe("TensorSummaries", () => {
  test("a histogram of each chosen tensor at each logged step, of the weights before the step", async () => {
    const told: [number, Readonly<Record<string, Histogram>>][] = [];
    const before: number[][] = [];
    const logger: Logger = { logHistograms: (values, step) => void told.push([step, values]) };
    const spy: Callback = {
      changesTraining: false,
      async onTrainBatchStart({ trainer }) {
        before.push([...(await trainer.model.parameters()[0].data())]);
      },
    };
    // Batches of 32 and one of 6: a graph of its own, with activations of its own size.
    const options = { loop: { numSteps: 6 }, logging: { logSteps: 1, logLevel: "silent" } } as const;
    const data = () => toyTrain({ batchSize: 32, dropLast: false });
    const run = await toyTrainer({ ...options, callbacks: [new TensorSummaries(all), spy], loggers: [logger] }).fit(
      data(),
    );
    expect(run.digest).toBe((await toyTrainer(options).fit(data())).digest);
    expect(told.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    const names = ["parameters/0.weight", "parameters/0.bias", "parameters/3.weight", "parameters/3.bias"];
    expect(Object.keys(told[0][1])).toEqual(
      [...names, "gradients/3.bias", "gradients/3.weight", "activations/0"].map((name) => `summary/${name}`),
    );
    for (const [i, [, values]] of told.entries()) {
      expect(values["summary/parameters/0.weight"]).toEqual(histogramOf(before[i]));
      expect(values["summary/activations/0"].count).toBe((i % 3 === 2 ? 6 : 32) * 8);
    }
  });

  test.each(["reference", "wasm"])(
    "of one parameter, updated in place: as it was before the step, on %s",
    async (backend) => {
      const told: Readonly<Record<string, Histogram>>[] = [];
      const before: (Histogram | undefined)[] = [];
      const spy: Callback = {
        changesTraining: false,
        async onTrainBatchStart({ trainer }) {
          before.push(histogramOf(await trainer.model.parameters()[0].data()));
        },
      };
      await toyTrainer({
        backend,
        loop: { numSteps: 3 },
        logging: { logSteps: 1, logLevel: "silent" },
        callbacks: [new TensorSummaries({ parameters: ["0.weight"], histograms: true }), spy],
        loggers: [{ logHistograms: (values) => void told.push(values) }],
      }).fit(toyTrain());
      expect(told.map((values) => values["summary/parameters/0.weight"])).toEqual(before);
      expect(before[0]).not.toEqual(before[1]);
    },
  );

  test("none unless asked for; asked for without a logger that takes them: refused", async () => {
    const told: unknown[] = [];
    const logger: Logger = { logHistograms: (values) => void told.push(values) };
    const summaries = (histograms: boolean) => [new TensorSummaries({ parameters: ["*"], histograms })];
    await toyTrainer({ callbacks: summaries(false), loggers: [logger], loop: { numSteps: 1 } }).fit(toyTrain());
    expect(told).toEqual([]);
    const refused = toyTrainer({ callbacks: summaries(true), loop: { numSteps: 1 } }).fit(toyTrain());
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(/histograms: no logger takes them.*TensorBoardLogger/);
  });

  test("of what the model summarises itself; none of scalars; from code, within a scope", async () => {
    const told: Readonly<Record<string, Histogram>>[] = [];
    const trainer = toyTrainer({
      model: () => new Summarizing(),
      loop: { numSteps: 1 },
      callbacks: [new TensorSummaries({ histograms: true })],
      loggers: [{ logHistograms: (values) => void told.push(values) }],
    });
    await trainer.fit(toyTrain());
    expect(told.map((values) => Object.keys(values))).toEqual([["mine/outputs"]]);
    expect(told[0]["mine/outputs"].count).toBe(32);
    await trainer.nameScope("head", () => trainer.logHistograms({ weights: histogramOf([1, 2])! }));
    expect(Object.keys(told[1])).toEqual(["head/weights"]);
  });

  test("in YAML: a flag, and nothing else", () => {
    const config = (value: string) =>
      parseConfig(
        `trainer: {init: {seed: 1, model: {name: mlp, sizes: [2, 2]}, callbacks: [TensorSummaries: {parameters: ["*"], histograms: ${value}}]}}`,
        "h.yaml",
      );
    expect(() => buildTrainer(config("true"))).not.toThrow();
    expect(() => config("30")).toThrow(/histograms: not a value.*got 30, expected true or false/);
  });
});

describe("TensorBoardLogger, read by a program in Python", () => {
  const eventsOf = (modelDir: string) => `${modelDir}/events.out.tfevents.0000000000.seedgrad`;
  const parse = (modelDir: string) =>
    spawnSync("python3", [`${root}test/support/read_events.py`, eventsOf(modelDir)], { encoding: "utf8" });
  const missing = parse(root).error !== undefined;
  if (missing && process.env.CI) throw new Error("no python3 in CI");

  test.skipIf(missing)("stopped and resumed: each step's histograms once, as they were", async () => {
    const modelDir = temporaryFolder();
    const told = new Map<number, Readonly<Record<string, Histogram>>>();
    const stop: Callback = {
      onTrainBatchEnd({ step }) {
        if (step === 4 && told.size === 4) throw new Error("stop");
      },
    };
    const run = () =>
      toyTrainer({
        modelDir,
        checkpoint: { steps: 3 },
        loop: { numSteps: 6, evalFrequency: 3 },
        logging: { logSteps: 1, logLevel: "silent" },
        callbacks: [new TensorSummaries(all), stop],
        loggers: [new TensorBoardLogger(), { logHistograms: (values, step) => void told.set(step, values) }],
      }).fit(toyTrain(), toyTest());
    await expect(run()).rejects.toThrow(/stop/);
    told.set(0, {});
    await run();
    told.delete(0);
    const { stdout, stderr, status } = parse(modelDir);
    expect([status, stderr]).toEqual([0, ""]);
    const read = (JSON.parse(stdout) as [number, object, Record<string, Record<string, unknown>>?][])
      .filter(([, , histograms]) => histograms)
      .map(([step, scalars, histograms]) => {
        expect(scalars).toEqual({});
        return [step, histograms];
      });
    const expected = [...told].map(([step, values]) => [
      step,
      Object.fromEntries(
        Object.entries(values).map(([name, { min, max, count, sum, sumOfSquares, limits, counts }]) => [
          name,
          { min, max, num: count, sum, sum_squares: sumOfSquares, bucket_limit: limits, bucket: counts },
        ]),
      ),
    ]);
    expect(read).toEqual(expected);
    expect(read.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(readFileSync(eventsOf(modelDir)).length).toBeGreaterThan(6 * 7 * 500);
  });
});
