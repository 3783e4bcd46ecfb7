// Validation data that steer a run are part of its record: a run isn't gone on with, or replayed, with others.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, ReproError } from "../../src/core/errors.ts";
import { arrayDataset } from "../../src/data/dataset.ts";
import { type DataLoader, dataLoader } from "../../src/data/loader.ts";
import * as optim from "../../src/optim/index.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { EarlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { diffRuns } from "../../src/verify/diff.ts";
import { verifyRun } from "../../src/verify/verify.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyOptions, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

/** Held-out samples whose content depends on `shift`. */
const held = (shift = 0, name = "held", batchSize = 8, size = 24): DataLoader => {
  const data = Float32Array.from({ length: size * 4 }, (_, i) => ((i * 29 + shift) % 31) / 31 - 0.5);
  const targets = Int32Array.from({ length: size }, (_, i) => (data[i * 4] > 0 ? 1 : 0));
  const fields = {
    inputs: { data, shape: [size, 4], dtype: "float32" },
    targets: { data: targets, shape: [size], dtype: "int32" },
  } as const;
  return dataLoader(arrayDataset(name, fields), { batchSize });
};

const plateau = () => optim.reduceOnPlateauLR({ initialLearningRate: 0.02, patience: 0, factor: 0.5, threshold: 0.05 });
const steered = (modelDir: string, changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
  modelDir,
  schedulers: plateau,
  loop: { numSteps: 8, evalFrequency: 2 },
  checkpoint: { steps: 2 },
  ...changes,
});
const stopAt = (at: number): Callback => ({
  changesTraining: false,
  onTrainBatchEnd({ step }) {
    if (step === at) throw new Error("stop");
  },
});
/** Stops a run after step 4, in the folder that is returned. */
const stopped = async (validation: readonly DataLoader[], changes: Partial<TrainerOptions> = {}) => {
  const modelDir = temporaryFolder();
  const { callbacks = [] } = changes;
  const options = steered(modelDir, { ...changes, callbacks: [...callbacks, stopAt(5)] });
  await expect(toyTrainer(options).fit(toyTrain(), validation)).rejects.toThrow(/stop/);
  return modelDir;
};

describe("a run with ReduceOnPlateau", () => {
  test("records its validation loaders, in their order; one without records none", async () => {
    const modelDir = temporaryFolder();
    const run = await toyTrainer(steered(modelDir)).fit(toyTrain(), [held(), toyTest()]);
    const { validation, data } = readManifest(`${modelDir}/manifest.json`);
    expect(validation).toEqual([
      { name: "held", batchSize: 8, samplesPerEpoch: 24, drawsPerEpoch: 0, digests: held().digests },
      { name: "toy", batchSize: 32, samplesPerEpoch: 70, drawsPerEpoch: 0, digests: toyTest().digests },
    ]);
    expect(Object.keys(held().digests).length).toBeGreaterThan(0);
    const seeded = temporaryFolder();
    await toyTrainer(steered(seeded)).fit(toyTrain(), toyTrain({ shuffleSeed: 2n ** 64n - 1n }));
    expect(readManifest(`${seeded}/manifest.json`).validation).toMatchObject([{ shuffleSeed: "18446744073709551615" }]);
    // Nothing of it is in what the chain begins with.
    expect(data).toEqual(toyTrain().digests);
    const other = temporaryFolder();
    await toyTrainer(steered(other, { schedulers: undefined })).fit(toyTrain(), held());
    expect(readFileSync(`${other}/manifest.json`, "utf8")).not.toContain('"validation":');
    expect(run.steps).toBe(8);
  });

  test.each<[string, DataLoader[], RegExp]>([
    ["content", [held(1)], /another validation data held.*: got [0-9a-f]{64}, expected [0-9a-f]{64}/],
    ["batch size", [held(0, "held", 12)], /another validation batchSize: got 8, expected 12/],
    ["size", [held(0, "held", 8, 16)], /another validation samplesPerEpoch: got 24, expected 16/],
    ["name", [held(0, "other")], /another validation name: got held, expected other/],
    ["number", [held(), toyTest()], /another validation loader 2, name: got none, expected toy/],
  ])("isn't gone on with under another %s", async (_, validation, message) => {
    const modelDir = await stopped([held()]);
    const manifest = readFileSync(`${modelDir}/manifest.json`);
    const again = toyTrainer(steered(modelDir)).fit(toyTrain(), validation);
    await expect(again).rejects.toThrow(CheckpointError);
    await expect(again).rejects.toThrow(message);
    expect(readFileSync(`${modelDir}/manifest.json`)).toEqual(manifest);
  });

  test("nor under another order; with the same, to the digest of a run that never stopped", async () => {
    const loaders = () => [held(), held(1, "second")];
    const modelDir = await stopped(loaders());
    await expect(toyTrainer(steered(modelDir)).fit(toyTrain(), loaders().reverse())).rejects.toThrow(
      /another validation name: got held, expected second/,
    );
    const resumed = await toyTrainer(steered(modelDir)).fit(toyTrain(), loaders());
    const whole = await toyTrainer(steered(temporaryFolder())).fit(toyTrain(), loaders());
    expect(resumed.digest).toBe(whole.digest);
  });

  test("verify and diff say that the data are others", async () => {
    const modelDir = temporaryFolder();
    const run = await toyTrainer(steered(modelDir)).fit(toyTrain(), held());
    const rebuild = (val: DataLoader) => (changes: Partial<TrainerOptions>) => ({
      trainer: new Trainer({ ...toyOptions(steered(modelDir)), ...changes }),
      train: toyTrain(),
      val,
    });
    const found = await verifyRun(modelDir, { rebuild: rebuild(held()) });
    expect(found.difference).toBeUndefined();
    expect(found).toMatchObject({ equal: true, digest: run.digest });
    const other = verifyRun(modelDir, { rebuild: rebuild(held(1)) });
    await expect(other).rejects.toThrow(ReproError);
    await expect(other).rejects.toThrow(/the validation data held.* isn't what the run went by: got [0-9a-f]/);

    const second = temporaryFolder();
    await toyTrainer(steered(second)).fit(toyTrain(), held(1, "held", 6));
    const { facts } = await diffRuns(modelDir, second);
    expect(facts).toContainEqual({ what: "validation batchSize", first: "8", second: "6", matters: true });
    expect(facts.some(({ what }) => what.startsWith("validation data held"))).toBe(true);
  });

  test("a folder from before, without the record, is gone on with; a damaged record is refused", async () => {
    const modelDir = await stopped([held()]);
    const path = `${modelDir}/manifest.json`;
    const { validation, ...before } = readManifest(path);
    writeFileSync(path, JSON.stringify({ ...before, validation: [{ ...validation![0], digests: { held: "x" } }] }));
    await expect(toyTrainer(steered(modelDir)).fit(toyTrain(), held())).rejects.toThrow(
      /manifest\.json: validation: not what a manifest holds/,
    );
    writeFileSync(path, JSON.stringify(before));
    await toyTrainer(steered(modelDir)).fit(toyTrain(), held());
    expect(readManifest(path).validation).toEqual(validation);
  });
});

describe("a run with EarlyStopping", () => {
  const changes = (): Partial<TrainerOptions> => ({
    schedulers: undefined,
    callbacks: [new EarlyStopping({ patience: 6 })],
  });

  test("isn't gone on with under other validation data, since it would end elsewhere", async () => {
    const modelDir = await stopped([held()], changes());
    expect(readManifest(`${modelDir}/manifest.json`).validation).toHaveLength(1);
    await expect(toyTrainer(steered(modelDir, changes())).fit(toyTrain(), held(1))).rejects.toThrow(
      /another validation data held/,
    );
    const run = await toyTrainer(steered(modelDir, changes())).fit(toyTrain(), held());
    const plain = await toyTrainer({ loop: { numSteps: 8 } }).fit(toyTrain());
    expect(run.digest).toBe(plain.digest);
  });

  test("may go on without it, on any data: its steps are the same", async () => {
    const modelDir = await stopped([held()], changes());
    await toyTrainer(steered(modelDir, { schedulers: undefined })).fit(toyTrain(), held(1));
    const { validation, status } = readManifest(`${modelDir}/manifest.json`);
    expect([validation, status]).toEqual([undefined, "finished"]);
  });
});

describe("a run that keeps its best checkpoints", () => {
  const best = (modelDir: string, numSteps: number, loop = {}): Partial<TrainerOptions> => ({
    modelDir,
    loop: { numSteps, evalFrequency: 2, ...loop },
    checkpoint: { keep: 1, keepBest: { metric: "loss" } },
  });

  test("isn't gone on with under other validation data, since its numbers don't compare; nothing is deleted", async () => {
    const modelDir = temporaryFolder();
    await toyTrainer(best(modelDir, 4)).fit(toyTrain(), held());
    const index = readFileSync(`${modelDir}/checkpoints/index.json`, "utf8");
    for (const [loader, loop, message] of [
      [held(1), {}, /another validation data held/],
      [held(), { evalSteps: 1 }, /another validation evalSteps: got none, expected 1/],
    ] as const) {
      const other = toyTrainer(best(modelDir, 8, loop)).fit(toyTrain(), loader);
      await expect(other).rejects.toThrow(CheckpointError);
      await expect(other).rejects.toThrow(message);
    }
    expect(readFileSync(`${modelDir}/checkpoints/index.json`, "utf8")).toBe(index);
    const run = await toyTrainer(best(modelDir, 8)).fit(toyTrain(), held());
    expect(run.digest).toBe((await toyTrainer(best(temporaryFolder(), 8)).fit(toyTrain(), held())).digest);
  });
});
