// A fit that validates on several loaders: what stops a run, keeps the best, lowers a rate or averages weights may go by any of them.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import type { DataLoader } from "../../src/data/loader.ts";
import * as optim from "../../src/optim/index.ts";
import { listCheckpoints } from "../../src/run/checkpoint.ts";
import { EarlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import { SanityValidation } from "../../src/train/callbacks/sanity-validation.ts";
import { ExponentialMovingAverage } from "../../src/train/callbacks/weight-average.ts";
import { buildTrainer } from "../../src/train/config/build.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Callback } from "../../src/train/contract.ts";
import type { Metrics } from "../../src/train/run.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

/** The same samples with the other label: the better the model, the greater the loss. */
function flipped(name = "flipped"): DataLoader {
  const plain = toyTest();
  return {
    ...plain,
    name,
    *batches(epoch, start) {
      for (const batch of plain.batches(epoch, start) as Iterable<Parameters<NonNullable<DataLoader["release"]>>[0]>) {
        const { targets, ...others } = batch.tensors;
        const data = Int32Array.from(targets.data, (label) => 1 - label);
        yield { ...batch, tensors: { ...others, targets: { ...targets, data } } };
      }
    },
  };
}
const loaders = () => [toyTest(), flipped()];
const loop = { numSteps: 8, evalFrequency: 1 } as const;

describe("any validation loader's numbers", () => {
  test("come to onValidateEnd once, under the loader's name", async () => {
    const told: Metrics[] = [];
    const spy: Callback = { onValidateEnd: (_, metrics) => void told.push(metrics) };
    const run = await toyTrainer({ loop, callbacks: [spy] }).fit(toyTrain(), loaders());
    expect(told).toHaveLength(8);
    expect(Object.keys(told[7])).toEqual(["loss", "accuracy", "flipped/loss", "flipped/accuracy"]);
    expect(told[7]).toEqual(run.metrics);
    expect(told[7]["flipped/accuracy"]).toBeCloseTo(1 - told[7].accuracy, 12);
    expect(told[7].loss).toBeLessThan(told[0].loss);
    expect(told[7]["flipped/loss"]).toBeGreaterThan(told[0]["flipped/loss"]);
  });

  test.each(["flipped/loss", "val_flipped/loss"])("stop a run: %s", async (metric) => {
    const stopping = (name?: string) => [new EarlyStopping({ metric: name, patience: 2 })];
    const run = await toyTrainer({ loop, callbacks: stopping(metric) }).fit(toyTrain(), loaders());
    expect([run.steps, run.stopped]).toEqual([
      3,
      expect.stringMatching(/^EarlyStopping: flipped\/loss was best at step 1/),
    ]);
    const short = await toyTrainer({ loop: { numSteps: 3 } }).fit(toyTrain());
    expect([run.digest, run.streamPosition]).toEqual([short.digest, short.streamPosition]);
    expect((await toyTrainer({ loop, callbacks: stopping() }).fit(toyTrain(), loaders())).steps).toBe(8);
  });

  test("keep the best checkpoints, with val_ before the name or without", async () => {
    for (const metric of ["flipped/loss", "val_flipped/loss"]) {
      const modelDir = temporaryFolder();
      const checkpoint = { keep: 1, keepBest: { metric, mode: "min", k: 2 } } as const;
      const run = await toyTrainer({ modelDir, loop, checkpoint }).fit(toyTrain(), loaders());
      expect(listCheckpoints(`${modelDir}/checkpoints`).map(({ step }) => step)).toEqual([1, 2, 8]);
      expect(run.digest).toBe((await toyTrainer({ loop: { numSteps: 8 } }).fit(toyTrain())).digest);
    }
  });

  test("lower a rate, and a replay validates on the same loaders", async () => {
    const modelDir = temporaryFolder();
    const plateau = { initialLearningRate: 0.02, metric: "flipped/loss", patience: 0, factor: 0.5 };
    const schedulers = () => optim.reduceOnPlateauLR(plateau);
    const rates: number[] = [];
    const seen: Callback = {
      changesTraining: false,
      onTrainStepEnd: ({ learningRate }) => void rates.push(learningRate),
    };
    const trainer = toyTrainer({ modelDir, loop, schedulers, callbacks: [seen] });
    const run = await trainer.fit(toyTrain(), loaders());
    expect(rates.slice(0, 4)).toEqual([0.02, 0.02, 0.01, 0.005]);
    expect(await trainer.verify(modelDir)).toMatchObject({ equal: true, digest: run.digest, steps: 8 });
  });

  test("come from averaged weights where the first one's do", async () => {
    const validated = async (given: DataLoader[], average: boolean) => {
      const callbacks = average ? [new ExponentialMovingAverage({ decay: 0.9 })] : [];
      return (await toyTrainer({ loop: { numSteps: 6, evalFrequency: "end" }, callbacks }).fit(toyTrain(), given))
        .metrics;
    };
    const [both, alone, raw] = [
      await validated(loaders(), true),
      await validated([flipped()], true),
      await validated(loaders(), false),
    ];
    expect(both["flipped/loss"]).toBe(alone.loss);
    expect(both["flipped/loss"]).not.toBe(raw["flipped/loss"]);
  });

  test("are checked before training by SanityValidation", async () => {
    const broken: DataLoader = {
      ...flipped("broken"),
      batches() {
        throw new Error("no such file");
      },
    };
    const fit = toyTrainer({ loop, callbacks: [new SanityValidation()] }).fit(toyTrain(), [toyTest(), broken]);
    await expect(fit).rejects.toThrow(/SanityValidation\.onTrainStart.*no such file/s);
  });

  test("from YAML", async () => {
    const folder = temporaryFolder();
    const { writeFileSync } = await import("node:fs");
    const rows = (flip: number) => Array.from({ length: 32 }, (_, i) => `${(i % 8) / 8},${(i % 8 > 3 ? 1 : 0) ^ flip}`);
    for (const flip of [0, 1]) writeFileSync(`${folder}/${"ab"[flip]}.csv`, ["x,label", ...rows(flip)].join("\n"));
    const data = (name: string) =>
      `{name: csv, file: ${folder}/${name}.csv, target: label, classes: ["0", "1"], batch_size: 16}`;
    const config = `
trainer:
  init:
    seed: 1
    model: {name: mlp, sizes: [1, 4, 2]}
    loss: cross_entropy
    optimizer: {SGD: {learning_rate: 0.5}}
    loop: {num_steps: 20, eval_frequency: 1}
    callbacks: [EarlyStopping: {metric: b.csv/loss, patience: 3}]
    logging: {log_level: silent}
    loggers: [ProgressLogger: null, CSVLogger: null, JSONLLogger: null, ReportLogger: null]
    backend: reference
  fit: {train_dataloader: ${data("a")}, val_dataloader: [${data("a")}, ${data("b")}]}
`;
    const changes = { modelDir: undefined, checkpoint: null };
    const { trainer, train, vals } = buildTrainer(parseConfig(config, "s.yaml"), changes);
    const run = await trainer.fit(train!, vals);
    expect(run.stopped).toMatch(/EarlyStopping: b\.csv\/loss was best at step/);
    expect(run.steps).toBeLessThan(20);
  });

  test("unknown, or of unclear direction", async () => {
    const trained = (metric: string) =>
      toyTrainer({ loop, callbacks: [new EarlyStopping({ metric })] }).fit(toyTrain(), loaders());
    await expect(trained("other/loss")).rejects.toThrow(ConfigError);
    await expect(trained("other/loss")).rejects.toThrow(
      /no such number: got other\/loss, expected one of loss, accuracy, flipped\/loss, flipped\/accuracy/,
    );
    // Its direction is the metric's own.
    await expect(trained("flipped/accuracy")).resolves.toBeDefined();
  });
});
