// Where a Trainer's weights are from decides what a fit after that may be: it goes on from what `loadCheckpoint` took, refuses what was only looked at, and never
// passes one run's digest off beside another's weights.
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError } from "../../src/core/errors.ts";
import { ExponentialMovingAverage } from "../../src/train/callbacks/index.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const averaged = (): Partial<TrainerOptions> => ({
  callbacks: [new ExponentialMovingAverage({ decay: 0.9 })],
  loop: { numSteps: 10, evalFrequency: 3 },
});
const saved = (modelDir: string, changes: Partial<TrainerOptions> = {}) =>
  toyTrainer({ modelDir, checkpoint: { steps: 2 }, ...averaged(), ...changes });
const at = (modelDir: string, step: number) => `${modelDir}/checkpoints/checkpoint_${step}.safetensors`;

describe("loadCheckpoint, then fit", () => {
  test.each([2, 6])(
    "trains on from step %i to the digest of a run that never stopped, without a folder and in a new one",
    async (step) => {
      const modelDir = temporaryFolder();
      const run = await saved(modelDir).fit(toyTrain(), toyTest());
      for (const folder of [undefined, temporaryFolder()]) {
        const trainer = toyTrainer({ ...averaged(), modelDir: folder });
        await trainer.loadCheckpoint(at(modelDir, step));
        expect(trainer.step).toBe(step);
        const { digest, steps, streamPosition, metrics, loss } = await trainer.fit(toyTrain(), toyTest());
        expect({ digest, steps, streamPosition, metrics, loss }).toEqual({
          digest: run.digest,
          steps: 10,
          streamPosition: run.streamPosition,
          metrics: run.metrics,
          loss: run.loss,
        });
      }
    },
  );

  test("in a folder whose newest checkpoint is another: asked which; ckptPath says it", async () => {
    const modelDir = temporaryFolder();
    const run = await saved(modelDir).fit(toyTrain(), toyTest());
    const trainer = saved(modelDir, { loop: { numSteps: 12, evalFrequency: 3 } });
    await trainer.loadCheckpoint(at(modelDir, 4));
    await expect(trainer.fit(toyTrain(), toyTest())).rejects.toThrow(/checkpoint_4.* and .*checkpoint_10/);
    const again = saved(modelDir);
    await again.loadCheckpoint(at(modelDir, 4));
    expect((await again.fit(toyTrain(), toyTest(), { ckptPath: at(modelDir, 4) })).digest).toBe(run.digest);
  });

  test("weights that were changed in between are no run's; nor is a file of weights alone one to go on from", async () => {
    const modelDir = temporaryFolder();
    await saved(modelDir).fit(toyTrain(), toyTest());
    const trainer = toyTrainer(averaged());
    await trainer.loadCheckpoint(at(modelDir, 4));
    const [[, weight]] = trainer.model.namedParameters();
    weight.load((await weight.data()).map((value) => value + 1));
    const changed = trainer.fit(toyTrain(), toyTest());
    await expect(changed).rejects.toThrow(CheckpointError);
    await expect(changed).rejects.toThrow(/0\.(weight|bias) was changed after loadCheckpoint/);

    const other = toyTrainer(averaged());
    await other.loadCheckpoint(`${modelDir}/ema.safetensors`);
    await expect(other.fit(toyTrain(), toyTest())).rejects.toThrow(/no run's state is in it/);
  });
});

describe("what was only looked at is nothing to train on from", () => {
  test.each<[string, (trainer: Trainer, path: string) => Promise<unknown>]>([
    ["validate", (trainer, ckptPath) => trainer.validate(toyTest(), { ckptPath })],
    ["validateAll", (trainer, path) => trainer.validateAll(toyTest(), path)],
    ["predict", (trainer, ckptPath) => trainer.predict(toyTest(), { ckptPath }).next()],
  ])("%s, then fit", async (method, look) => {
    const modelDir = temporaryFolder();
    const run = await saved(modelDir).fit(toyTrain(), toyTest());
    for (const path of [at(modelDir, 4), at(modelDir, 10)]) {
      const trainer = toyTrainer(averaged());
      await trainer.fit(toyTrain(), toyTest());
      await look(trainer, path);
      const fitted = trainer.fit(toyTrain(), toyTest());
      await expect(fitted).rejects.toThrow(ConfigError);
      await expect(fitted).rejects.toThrow(`the weights are those that ${method} took from a file`);
      expect((await trainer.fit(toyTrain(), toyTest(), { ckptPath: path })).digest).toBe(run.digest);
    }
  });
});

test("fit on a finished folder without checkpoints gives its digest, and no weights", async () => {
  const modelDir = temporaryFolder();
  const bare = (changes: Partial<TrainerOptions> = {}) => toyTrainer({ modelDir, checkpoint: null, ...changes });
  const first = bare();
  const run = await first.fit(toyTrain(), toyTest());
  await first.evaluate(toyTest());
  const second = bare();
  expect((await second.fit(toyTrain(), toyTest())).digest).toBe(run.digest);
  for (const asked of [
    () => second.evaluate(toyTest()),
    () => second.validate(toyTest()),
    () => second.validate(toyTest(), { ckptPath: null }),
    () => second.predict(toyTest()).next(),
  ]) {
    await expect(asked()).rejects.toThrow(CheckpointError);
    await expect(asked()).rejects.toThrow(/is finished and has no checkpoint, so its weights are gone/);
  }
  // A longer run begins anew, since nothing was kept, and then has weights.
  const longer = bare({ loop: { numSteps: 13 } });
  await longer.fit(toyTrain(), toyTest());
  await longer.evaluate(toyTest());
});
