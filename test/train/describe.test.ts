// What a run that is made in code records of its schedules and callbacks: the numbers that no config holds, and that no graph's hash may show.
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/core/errors.ts";
import * as optim from "../../src/optim/index.ts";
import { readManifest } from "../../src/run/manifest.ts";
import { SkipSamples } from "../../src/train/callbacks/skip-samples.ts";
import { Sparsity } from "../../src/train/callbacks/sparsity.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const { stepLR, sequentialLR, linearLR } = optim;
const steps = (gamma: number) => stepLR({ initialLearningRate: 0.01, stepSize: 2, gamma });

async function fitted(options: Partial<TrainerOptions>, modelDir = `${temporaryFolder()}/run`): Promise<string> {
  const trainer = toyTrainer({ modelDir, checkpoint: { steps: 2 }, loop: { numSteps: 4 }, ...options });
  await trainer.fit(toyTrain());
  return modelDir;
}
const recorded = async (options: Partial<TrainerOptions>) => {
  const { hyperparameters } = readManifest(`${await fitted(options)}/manifest.json`);
  const own = Object.entries(hyperparameters).filter(([name]) => /^(schedulers|callbacks)\//.test(name));
  return Object.fromEntries(own.map(([name, { value }]) => [name, value]));
};

describe("numbers and words of a run made in code", () => {
  test("of schedules, those within others too", async () => {
    expect(await recorded({ schedulers: steps(0.5) })).toEqual({
      "schedulers/0/StepLR/initialLearningRate": 0.01,
      "schedulers/0/StepLR/stepSize": 2,
      "schedulers/0/StepLR/gamma": 0.5,
    });
    const warmUp = linearLR({ initialLearningRate: 0, endLearningRate: 0.01, totalIters: 2 });
    const both = sequentialLR({ schedulers: [warmUp, steps(0.5)] });
    expect(await recorded({ schedulers: () => [both] })).toMatchObject({
      "schedulers/0/SequentialLR/schedulers/0/LinearLR/totalIters": 2,
      "schedulers/0/SequentialLR/schedulers/1/StepLR/gamma": 0.5,
    });
  });

  test("of callbacks that train, by what they say of themselves; not of those that watch", async () => {
    const sparse = new Sparsity({ sparsity: 0.5, schedule: { begin: 1, end: 3 } });
    const own = { name: "Own", describe: () => ({ strength: 0.25, note: "text" }) };
    const watching = { name: "Watching", changesTraining: false, describe: () => ({ every: 3 }) };
    expect(await recorded({ callbacks: [sparse, new SkipSamples({ samples: 16 }), own, watching] })).toEqual({
      "callbacks/Sparsity/sparsity": 0.5,
      "callbacks/Sparsity/schedule/begin": 1,
      "callbacks/Sparsity/schedule/end": 3,
      "callbacks/SkipSamples/samples": 16,
      "callbacks/Own/strength": 0.25,
      "callbacks/Own/note/text": 1,
    });
  });

  test("what isn't the program's own isn't told as a difference", async () => {
    const plateau = (factor: number) =>
      optim.reduceOnPlateauLR({ initialLearningRate: 0.01, patience: 0, threshold: 1, factor });
    const options = { loop: { numSteps: 6, evalFrequency: 1 }, checkpoint: null };
    const modelDir = `${temporaryFolder()}/run`;
    await toyTrainer({ ...options, modelDir, schedulers: plateau(0.5) }).fit(toyTrain(), toyTest());
    expect(Object.keys(readManifest(`${modelDir}/manifest.json`).hyperparameters)).toContain("validation/period");
    const other = toyTrainer({ ...options, schedulers: plateau(0.25) });
    const found = await other.verify(modelDir, { train: toyTrain(), val: toyTest() });
    expect(found.difference).toMatch(/^[^;]+; schedulers\/0\/ReduceOnPlateauLR\/factor is 0\.25, recorded 0\.5$/);
  });

  test("a run refuses to resume under others", async () => {
    const folder = await fitted({ schedulers: steps(0.5) });
    const loop = { numSteps: 6 };
    const other = fitted({ schedulers: steps(0.25), loop }, folder);
    await expect(other).rejects.toThrow(CheckpointError);
    await expect(other).rejects.toThrow(/another schedulers\/0\/StepLR\/gamma: got 0\.5, expected 0\.25/);
    await expect(fitted({ schedulers: steps(0.5), loop }, folder)).resolves.toBe(folder);
  });

  test("verify names those that differ, where bits do", async () => {
    const folder = await fitted({ schedulers: steps(0.5) });
    const other = toyTrainer({ loop: { numSteps: 4 }, schedulers: steps(0.25) });
    const found = await other.verify(folder, { train: toyTrain() });
    expect(found).toMatchObject({ equal: false, firstDifference: 3 });
    expect(found.difference).toMatch(/; schedulers\/0\/StepLR\/gamma is 0\.25, recorded 0\.5$/);
    // A number of which nothing shows in four steps.
    const late = toyTrainer({
      loop: { numSteps: 4 },
      schedulers: stepLR({ initialLearningRate: 0.01, stepSize: 2, gamma: 0.5 }),
      callbacks: [{ describe: () => ({ unused: 1 }) }],
    });
    const { equal, firstDifference, difference } = await late.verify(folder, { train: toyTrain() });
    expect([equal, firstDifference]).toEqual([false, undefined]);
    expect(difference).toBe("manifest.json: hyperparameters: callbacks/callback/unused is 1 (3f800000), recorded none");
  });
});
