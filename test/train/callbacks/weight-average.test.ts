import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError } from "../../../src/core/errors.ts";
import { readSafetensors } from "../../../src/io/safetensors.ts";
import { listCheckpoints, loadCheckpoint } from "../../../src/run/checkpoint.ts";
import {
  ExponentialMovingAverage,
  StochasticWeightAveraging,
  type WeightAverage,
} from "../../../src/train/callbacks/weight-average.ts";
import type { Callback, TrainerOptions } from "../../../src/train/contract.ts";
import type { Metrics } from "../../../src/train/run.ts";
import type { Trainer } from "../../../src/train/trainer.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../../support/toy.ts";

const bits = (data: ArrayLike<number>) => [...new Uint32Array(Float32Array.from(data).buffer)];
const bitsOf = async (average: WeightAverage) =>
  (await average.weights()).map(([name, { data }]) => [name, bits(data)] as const);

/** The weights after each step. */
const weightsByStep = async (steps: number) => {
  const seen: Record<string, Float32Array>[] = [];
  const spy: Callback = {
    async onAfterOptimizerStep({ trainer }) {
      const entries = [];
      for (const [path, parameter] of trainer.model.namedParameters())
        entries.push([path, (await parameter.data()) as Float32Array] as const);
      seen.push(Object.fromEntries(entries));
    },
  };
  const run = await toyTrainer({ callbacks: [spy], loop: { numSteps: steps } }).fit(toyTrain());
  return { run, seen };
};

/** The same recurrence in plain float32. */
const byHand = (seen: Record<string, Float32Array>[], rate: (count: number) => number) =>
  Object.keys(seen[0]).map((path) => {
    const average = seen[0][path].slice();
    for (let count = 1; count < seen.length; count++) {
      const part = Math.fround(rate(count));
      seen[count][path].forEach((value, i) => {
        average[i] += Math.fround(Math.fround(value - average[i]) * part);
      });
    }
    return [path, bits(average)] as const;
  });

describe("ExponentialMovingAverage", () => {
  test("is the recurrence, bit for bit; and leaves the run as it is", async () => {
    const { run, seen } = await weightsByStep(6);
    const ema = new ExponentialMovingAverage({ decay: 0.9 });
    const averaged = await toyTrainer({ callbacks: [ema], loop: { numSteps: 6 } }).fit(toyTrain());
    expect([averaged.digest, averaged.graphHash]).toEqual([run.digest, run.graphHash]);
    expect(await bitsOf(ema)).toEqual(byHand(seen, () => 1 - 0.9));
  });

  test("warmup, start and every", async () => {
    const { seen } = await weightsByStep(6);
    const warm = new ExponentialMovingAverage({ warmup: true, start: 2, every: 2 });
    await toyTrainer({ callbacks: [warm], loop: { numSteps: 6 } }).fit(toyTrain());
    expect(await bitsOf(warm)).toEqual(
      byHand([seen[1], seen[3], seen[5]], (n) => 1 - Math.min(0.999, (1 + n) / (10 + n))),
    );
  });

  test("validation sees the average, training doesn't", async () => {
    const run = async (callbacks: Callback[]) => {
      const values: Metrics[] = [];
      const spy: Callback = { onValidateEnd: (_, metrics) => void values.push(metrics) };
      const trainer = toyTrainer({ callbacks: [...callbacks, spy], loop: { numEpochs: 2, evalFrequency: 2 } });
      return { digest: (await trainer.fit(toyTrain(), toyTest())).digest, values };
    };
    const plain = await run([]);
    const averaged = await run([new ExponentialMovingAverage({ decay: 0.99 })]);
    const beside = await run([new ExponentialMovingAverage({ decay: 0.99, validate: false })]);
    expect([averaged.digest, beside.digest]).toEqual([plain.digest, plain.digest]);
    expect(beside.values).toEqual(plain.values);
    expect(averaged.values).not.toEqual(plain.values);
    const at = (given: typeof plain) => given.values[0].loss;
    expect(at(averaged)).not.toBe(at(plain));
  });
});

describe("StochasticWeightAveraging", () => {
  test("is the mean of the weights from `start` on", async () => {
    const { run, seen } = await weightsByStep(8);
    const swa = new StochasticWeightAveraging({ start: 0.5 });
    const averaged = await toyTrainer({ callbacks: [swa], loop: { numSteps: 8 } }).fit(toyTrain());
    expect(averaged.digest).toBe(run.digest);
    expect(await bitsOf(swa)).toEqual(byHand(seen.slice(3), (count) => 1 / (count + 1)));
  });

  test("0.55 of 20 steps is step 11, and not the one after it", async () => {
    const swa = new StochasticWeightAveraging({ start: 0.55 });
    await toyTrainer({ callbacks: [swa], loop: { numSteps: 20 } }).fit(toyTrain());
    expect(swa.count).toBe(10);
  });
});

describe("in a folder", () => {
  const options = (modelDir: string, callbacks: Callback[]): Partial<TrainerOptions> => ({
    modelDir,
    callbacks,
    checkpoint: { steps: 1 },
    loop: { numSteps: 8, evalFrequency: 3 },
  });
  const crashAt = (at: number): Callback => ({
    onAfterSaveCheckpoint({ step }) {
      if (step === at) throw new Error("stop");
    },
  });

  test.each([1, 3, 6])("stopped after step %i and resumed: the average of a run that never stopped", async (at) => {
    const make = () => [
      new ExponentialMovingAverage({ decay: 0.9 }),
      new StochasticWeightAveraging({ start: 2, validate: false }),
    ];
    const whole = make();
    const { digest, metrics } = await toyTrainer(options(temporaryFolder(), whole)).fit(toyTrain(), toyTest());
    const modelDir = temporaryFolder();
    await expect(toyTrainer(options(modelDir, [...make(), crashAt(at)])).fit(toyTrain(), toyTest())).rejects.toThrow(
      /stop/,
    );
    const again = make();
    const resumed = await toyTrainer(options(modelDir, again)).fit(toyTrain(), toyTest());
    expect([resumed.digest, resumed.metrics]).toEqual([digest, metrics]);
    for (const i of [0, 1]) expect(await bitsOf(again[i])).toEqual(await bitsOf(whole[i]));
  });

  test("two of one class, the other way round when the run goes on: neither takes the other's average in silence", async () => {
    const make = (...decays: number[]) =>
      decays.map((decay) => new ExponentialMovingAverage({ decay, validate: false }));
    const modelDir = temporaryFolder();
    const crashed = toyTrainer(options(modelDir, [...make(0.9, 0.5), crashAt(3)])).fit(toyTrain(), toyTest());
    await expect(crashed).rejects.toThrow(/stop/);
    const swapped = toyTrainer(options(modelDir, make(0.5, 0.9))).fit(toyTrain(), toyTest());
    await expect(swapped).rejects.toThrow(CheckpointError);
    const again = make(0.9, 0.5);
    await toyTrainer(options(modelDir, again)).fit(toyTrain(), toyTest());
    expect(await bitsOf(again[0])).not.toEqual(await bitsOf(again[1]));
  });

  test("checkpoints hold it as callback/<name>/<path>, and the end writes its weights", async () => {
    const modelDir = temporaryFolder();
    const ema = new ExponentialMovingAverage();
    await toyTrainer(options(modelDir, [ema])).fit(toyTrain());
    const { tensors, state } = loadCheckpoint(`${modelDir}/checkpoints/checkpoint_8.safetensors`);
    const names = [...tensors.keys()].filter((name) => name.startsWith("callback/"));
    expect(names).toEqual(
      ["0.bias", "0.weight", "3.bias", "3.weight"].map((path) => `callback/ExponentialMovingAverage/${path}`),
    );
    expect(state.callbacks).toEqual({
      ExponentialMovingAverage: { count: 8, firstStep: 1, options: { every: 1, decay: 0.999, warmup: false } },
    });
    const written = readSafetensors(`${modelDir}/ema.safetensors`);
    for (const [path, { data }] of await ema.weights())
      expect(bits(written.tensors.get(`parameter/${path}`)!.data)).toEqual(bits(data));
    expect(existsSync(`${modelDir}/swa.safetensors`)).toBe(false);
  });

  test("a run may go on without it, and begin one later; a callback of another model's shape is refused", async () => {
    const modelDir = temporaryFolder();
    const first = toyTrainer(options(modelDir, [new ExponentialMovingAverage(), crashAt(3)]));
    await expect(first.fit(toyTrain())).rejects.toThrow(/stop/);
    const { digest } = await toyTrainer(options(temporaryFolder(), [])).fit(toyTrain());
    const messages: string[] = [];
    const loggers = [{ logMessage: (_: string, text: string) => void messages.push(text) }];
    const logging = { logLevel: "warn" } as const;
    const later = toyTrainer({ ...options(modelDir, [new StochasticWeightAveraging()]), loggers, logging });
    expect((await later.fit(toyTrain())).digest).toBe(digest);
    expect(messages.join()).toMatch(/nothing of the callback StochasticWeightAveraging is in it.*it begins anew/s);
    const needed = Object.assign(new ExponentialMovingAverage(), { changesTraining: true });
    await expect(toyTrainer({ ...options(modelDir, [needed]), loop: { numSteps: 9 } }).fit(toyTrain())).rejects.toThrow(
      CheckpointError,
    );
  });
});

test("two averages can't both be validated", () => {
  const callbacks = [new ExponentialMovingAverage(), new StochasticWeightAveraging()];
  expect(() => toyTrainer({ callbacks })).toThrow(/two averages can't both/);
});

test.each([
  [{ decay: 1 }, /decay/],
  [{ start: 0 }, /start/],
  [{ start: 1.5 }, /start/],
  [{ every: 0 }, /every/],
])("%j is refused", (options, message) => {
  expect(() => new ExponentialMovingAverage(options)).toThrow(ConfigError);
  expect(() => new ExponentialMovingAverage(options)).toThrow(message);
});

test.each<[string, WeightAverage, number, boolean]>([
  ["swa", new StochasticWeightAveraging({ start: 7 }), 6, true],
  ["swa", new StochasticWeightAveraging({ start: 7 }), 7, false],
  ["swa", new StochasticWeightAveraging({ start: 0.99 }), 2, false],
  ["ema", new ExponentialMovingAverage({ start: 3 }), 2, true],
  ["ema", new ExponentialMovingAverage(), 1, false],
])("%s that begins after the run's end is warned of: case %#", async (file, average, numSteps, warned) => {
  const told: string[] = [];
  const modelDir = temporaryFolder();
  const loggers = [{ logMessage: (level: string, text: string) => void told.push(`${level}: ${text}`) }];
  const options = { modelDir, loggers, logging: { logLevel: "warn" }, loop: { numSteps } } as const;
  await toyTrainer({ ...options, callbacks: [average] }).fit(toyTrain());
  expect(told).toEqual(
    warned ? [expect.stringMatching(`warn: .*start: the run ends at step ${numSteps}, .* begins at step`)] : [],
  );
  expect(existsSync(`${modelDir}/${file}.safetensors`)).toBe(!warned);
});

describe("a run that is lengthened", () => {
  const run = (modelDir: string, numSteps: number, average: WeightAverage) =>
    toyTrainer({ modelDir, callbacks: [average], checkpoint: { steps: 2 }, loop: { numSteps } }).fit(toyTrain());

  test("has the average of one that was as long from the start", async () => {
    const swa = () => new StochasticWeightAveraging({ start: 4 });
    const [modelDir, whole, again] = [temporaryFolder(), swa(), swa()];
    await run(temporaryFolder(), 9, whole);
    await run(modelDir, 6, swa());
    await run(modelDir, 9, again);
    expect(await bitsOf(again)).toEqual(await bitsOf(whole));
  });

  test("is refused where its average was begun at another step, a fraction of the shorter run", async () => {
    const modelDir = temporaryFolder();
    await run(modelDir, 6, new StochasticWeightAveraging({ start: 0.5 }));
    const refused = run(modelDir, 12, new StochasticWeightAveraging({ start: 0.5 }));
    await expect(refused).rejects.toThrow(CheckpointError);
    await expect(refused).rejects.toThrow(
      /StochasticWeightAveraging: the checkpoint's average was made with another start, in steps: got 3, expected 6\n.*start: 3 is this one/,
    );
    await run(modelDir, 12, new StochasticWeightAveraging({ start: 3 }));
  });

  test("may begin its average elsewhere as long as none has begun", async () => {
    const [modelDir, whole, again] = [temporaryFolder(), ...[0, 1].map(() => new StochasticWeightAveraging())] as const;
    await run(temporaryFolder(), 12, whole);
    await run(modelDir, 4, new StochasticWeightAveraging({ start: 5 }));
    await run(modelDir, 12, again);
    expect(await bitsOf(again)).toEqual(await bitsOf(whole));
  });

  test.each([
    ["decay", new ExponentialMovingAverage({ decay: 0.5 }), /another decay: got 0.999, expected 0.5/],
    ["every", new ExponentialMovingAverage({ every: 2 }), /another every: got 1, expected 2/],
    ["warmup", new ExponentialMovingAverage({ warmup: true }), /another warmup: got false, expected true/],
  ])("isn't gone on with under another %s", async (_, average, message) => {
    const modelDir = temporaryFolder();
    await run(modelDir, 4, new ExponentialMovingAverage());
    await expect(run(modelDir, 6, average)).rejects.toThrow(message);
  });
});

describe("the numbers of a run under an average can be had again", () => {
  const options = (modelDir: string): Partial<TrainerOptions> => ({
    modelDir,
    callbacks: [new ExponentialMovingAverage({ decay: 0.9 })],
    checkpoint: { steps: 3 },
    loop: { numSteps: 9, evalFrequency: 3 },
  });

  test("validateAll and validate give the index's numbers, and the raw ones when asked; which, they say", async () => {
    const modelDir = temporaryFolder();
    const run = await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    const recorded = listCheckpoints(`${modelDir}/checkpoints`).map(({ step, metrics }) => [step, metrics]);
    const trainer = toyTrainer(options(modelDir));
    const all = await trainer.validateAll(toyTest());
    expect(all.map(({ step, metrics }) => [step, metrics])).toEqual(recorded);
    expect(all.map(({ weights }) => weights)).toEqual(["average", "average", "average"]);
    expect(await trainer.validate(toyTest())).toEqual(run.metrics);
    expect([trainer.weightsUsed, trainer.step]).toEqual(["average", 9]);

    const raw = await trainer.validate(toyTest(), { weights: "raw" });
    expect(trainer.weightsUsed).toBe("raw");
    expect(raw).not.toEqual(run.metrics);
    expect(raw).toEqual(await toyTrainer({ modelDir }).validate(toyTest()));
    expect((await trainer.validateAll(toyTest(), undefined, { weights: "raw" })).at(-1)).toMatchObject({
      metrics: raw,
      weights: "raw",
    });
  });

  test("its file of weights can be validated and predicted with, and is the average", async () => {
    const modelDir = temporaryFolder();
    const run = await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    const ckptPath = `${modelDir}/ema.safetensors`;
    const outputs = async (trainer: Trainer, choice: { ckptPath?: string; weights?: "raw" | "average" }) => {
      const found: [string, number[]][] = [];
      for await (const { outputs, weights } of trainer.predict(toyTest(), choice))
        found.push([weights, bits(outputs.data)]);
      return found;
    };
    const trainer = toyTrainer({ modelDir });
    expect(await trainer.validate(toyTest(), { ckptPath })).toEqual(run.metrics);
    expect([trainer.weightsUsed, trainer.step]).toEqual(["raw", 9]);
    const averaged = await outputs(toyTrainer(options(modelDir)), {});
    expect(averaged.map(([weights]) => weights)).toEqual(["average", "average", "average"]);
    expect((await outputs(trainer, { ckptPath })).map(([, data]) => data)).toEqual(averaged.map(([, data]) => data));
    const raw = await outputs(toyTrainer(options(modelDir)), { weights: "raw" });
    expect(raw).toEqual(await outputs(toyTrainer({ modelDir }), {}));
    expect(raw[0][1]).not.toEqual(averaged[0][1]);
    expect((await trainer.validateAll(toyTest(), [ckptPath]))[0]).toMatchObject({ step: 9, metrics: run.metrics });
  });

  test("in a hook, evaluate sees what validation sees, silent or not, and either when asked", async () => {
    const seen: Metrics[] = [];
    const spy: Callback = {
      changesTraining: false,
      async onTrainBatchEnd({ trainer, validated }) {
        if (!validated) return;
        for (const how of [{}, { silent: true }, { weights: "average" }, { weights: "raw" }] as const)
          seen.push(await trainer.evaluate(toyTest(), how));
        seen.push(validated);
      },
    };
    const given = options(temporaryFolder());
    const run = await toyTrainer({ ...given, callbacks: [...given.callbacks!, spy] }).fit(toyTrain(), toyTest());
    const [plain, silent, average, raw, validated] = seen.slice(-5);
    expect([plain, silent, average]).toEqual([validated, validated, validated]);
    expect(raw).not.toEqual(validated);
    expect(run.digest).toBe((await toyTrainer(options(temporaryFolder())).fit(toyTrain(), toyTest())).digest);
  });

  test("an average that isn't there, or not yet, is refused by name; evaluations under two kinds of weights don't mix", async () => {
    const modelDir = temporaryFolder();
    await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
    await expect(toyTrainer({ modelDir }).validate(toyTest(), { weights: "average" })).rejects.toThrow(
      /weights: there is no average: got no callback that averages weights/,
    );
    const fresh = toyTrainer(options(temporaryFolder()));
    await expect(fresh.validate(toyTest(), { weights: "average" })).rejects.toThrow(
      /ExponentialMovingAverage of 0 steps/,
    );
    await expect(fresh.validate(toyTest(), { weights: "best" as never })).rejects.toThrow(
      /validate\.weights: it isn't "raw" or "average": got "best"/,
    );
    const trainer = toyTrainer(options(modelDir));
    await trainer.validate(toyTest());
    const first = trainer.evaluate(toyTest());
    await expect(trainer.evaluate(toyTest(), { weights: "raw" })).rejects.toThrow(/under other weights is in progress/);
    expect(await trainer.evaluate(toyTest())).toEqual(await first);
  });
});
