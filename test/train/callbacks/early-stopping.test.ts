import { describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/core/errors.ts";
import { readManifest } from "../../../src/run/manifest.ts";
import { EarlyStopping, type EarlyStoppingOptions } from "../../../src/train/callbacks/early-stopping.ts";
import type { Callback, TrainerOptions } from "../../../src/train/contract.ts";
import type { Metrics } from "../../../src/train/run.ts";
import { Trainer } from "../../../src/train/trainer.ts";
import { verifyRun } from "../../../src/verify/verify.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { toyOptions, toyTest, toyTrain, toyTrainer } from "../../support/toy.ts";

/** Validation at each step; what EarlyStopping is told is the list, whatever was computed. */
const told = (values: readonly number[], options: EarlyStoppingOptions = {}): Callback[] => {
  const stopping = new EarlyStopping(options);
  return [
    Object.assign(Object.create(stopping), {
      name: "EarlyStopping",
      onFitStart: (context: never) => stopping.onFitStart(context),
      onTrainStart: (context: never) => stopping.onTrainStart(context),
      onValidateEnd: (context: never, metrics: Metrics) =>
        stopping.onValidateEnd(context, { ...metrics, loss: values[(context as { step: number }).step - 1] }),
      namedVariables: () => stopping.namedVariables(),
      finalWeights: () => stopping.finalWeights(),
      saveState: () => stopping.saveState(),
      loadState: (state: unknown) => stopping.loadState(state),
    }),
  ];
};
const loop = { numSteps: 8, evalFrequency: 1 } as const;
const stepsOf = async (values: readonly number[], options: EarlyStoppingOptions) =>
  (await toyTrainer({ loop, callbacks: told(values, options) }).fit(toyTrain(), toyTest())).steps;

describe("EarlyStopping", () => {
  test.each<[number[], EarlyStoppingOptions, number]>([
    [[5, 4, 4.5, 4, 6, 3, 2, 1], { patience: 2 }, 4],
    [[5, 4, 4.5, 3, 3.5, 3, 3, 3], { patience: 3 }, 7],
    [[5, 4, 3, 2, 1, 0.5, 0.4, 0.3], { patience: 1 }, 8],
    [[5, 4.9, 4.8, 4.7, 4.6, 4.5, 4.4, 4.3], { patience: 2, minDelta: 0.15 }, 8],
    [[5, 4.9, 4.8, 4.7, 4.6, 4.5, 4.4, 4.3], { patience: 1, minDelta: 0.15 }, 2],
    [[1, 2, 3, 2, 2, 9, 9, 9], { mode: "max", patience: 2 }, 5],
    [[5, 4, 3, 2, 1, 1, 1, 1], { stoppingThreshold: 3 }, 3],
    [[5, 4, 30, 2, 1, 1, 1, 1], { divergenceThreshold: 20 }, 3],
    [[5, Number.NaN, 3, 2, 1, 1, 1, 1], {}, 2],
  ])("%j under %j: %i steps", async (values, options, steps) => expect(await stepsOf(values, options)).toBe(steps));

  test("the steps taken are those of a run that was as long from the start", async () => {
    const stopped = await toyTrainer({ loop, callbacks: told([1, 2, 3, 4], { patience: 2 }) }).fit(
      toyTrain(),
      toyTest(),
    );
    const short = await toyTrainer({ loop: { numSteps: 3 } }).fit(toyTrain());
    expect([stopped.digest, stopped.streamPosition]).toEqual([short.digest, short.streamPosition]);
    expect(stopped.stopped).toBe("EarlyStopping: loss was best at step 1 (1), 2 validations ago");
  });

  test("stopped in a folder: finished, saved, given again, and verified", async () => {
    const modelDir = temporaryFolder();
    const options = { modelDir, loop, callbacks: told([1, 2, 3, 4], { patience: 2 }) };
    const run = await toyTrainer(options).fit(toyTrain(), toyTest());
    expect(readManifest(`${modelDir}/manifest.json`)).toMatchObject({
      status: "finished",
      result: { steps: 3, stopped: run.stopped },
    });
    expect((await toyTrainer(options).fit(toyTrain(), toyTest())).digest).toBe(run.digest);
    const rebuild = (changes: Partial<TrainerOptions>) => ({
      trainer: new Trainer({ ...toyOptions(options), ...changes }),
      train: toyTrain(),
    });
    // A program without the callback can't know that the run had to end there.
    expect(await verifyRun(modelDir, { rebuild })).toMatchObject({
      verdict: "same, stopped early",
      equal: false,
      steps: 3,
    });
    const again = toyTrainer({ ...options, callbacks: told([1, 2, 3, 4], { patience: 2 }) });
    expect(await again.verify(modelDir, { train: toyTrain(), val: toyTest() })).toMatchObject({
      verdict: "same",
      equal: true,
      steps: 3,
    });
  });

  test("interrupted at any step and resumed: best and patience go on", async () => {
    const values = [5, 4, 4.5, 4, 6, 3, 2, 1];
    const whole = await toyTrainer({ loop, callbacks: told(values, { patience: 3 }) }).fit(toyTrain(), toyTest());
    expect(whole.steps).toBe(5);
    for (const at of [1, 2, 3, 4, 5]) {
      const modelDir = temporaryFolder();
      const crash: Callback = {
        onAfterSaveCheckpoint({ step }) {
          if (step === at) throw new Error("stop");
        },
      };
      const options = { modelDir, loop, checkpoint: { steps: 1 } };
      const first = toyTrainer({ ...options, callbacks: [...told(values, { patience: 3 }), crash] });
      await expect(first.fit(toyTrain(), toyTest())).rejects.toThrow(/stop/);
      const resumed = await toyTrainer({ ...options, callbacks: told(values, { patience: 3 }) }).fit(
        toyTrain(),
        toyTest(),
      );
      expect([resumed.digest, resumed.steps, resumed.stopped]).toEqual([whole.digest, 5, whole.stopped]);
    }
  });

  test("bad input", async () => {
    expect(() => new EarlyStopping({ patience: 0 })).toThrow(ConfigError);
    expect(() => new EarlyStopping({ minDelta: -1 })).toThrow(/minDelta/);
    expect(() => new EarlyStopping({ mode: "least" as never })).toThrow(/mode/);
    const train = (callbacks: Callback[], validates = true) =>
      toyTrainer({ loop: validates ? loop : { numSteps: 1 }, callbacks }).fit(toyTrain(), toyTest());
    await expect(train([new EarlyStopping()], false)).rejects.toThrow(/nothing is validated/);
    const unknown = train([new EarlyStopping({ metric: "f1" })]);
    await expect(unknown).rejects.toThrow(ConfigError);
    await expect(unknown).rejects.toThrow(/no such number: got f1, expected one of loss, accuracy/);
  });
});
