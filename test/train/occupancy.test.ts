// What may be called while a fit is in progress: what leaves weights and place in the run alone, in a hook, awaited. All else is refused by name, and what is
// allowed changes no bit of the run.
import { describe, expect, test } from "vitest";
import { CheckpointError, TrainingError } from "../../src/core/errors.ts";
import * as optim from "../../src/optim/index.ts";
import { EarlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import type { Callback, StepResult, TrainerOptions } from "../../src/train/contract.ts";
import type { Trainer } from "../../src/train/trainer.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const options = (changes: Partial<TrainerOptions> = {}): Partial<TrainerOptions> => ({
  modelDir: temporaryFolder(),
  loop: { numSteps: 6, evalFrequency: 2 },
  checkpoint: { steps: 2 },
  ...changes,
});
/** Calls something after step 5. */
const hooked = (body: (trainer: Trainer, result: StepResult) => unknown, hook: keyof Callback = "onTrainBatchEnd") =>
  ({
    name: "user",
    changesTraining: false,
    [hook]: (result: StepResult) => (result.step === 5 ? body(result.trainer as Trainer, result) : undefined),
  }) as Callback;
const take = async (values: AsyncIterable<unknown>) => {
  for await (const _ of values);
};

describe("in a hook of a fit", () => {
  test.each<[string, (trainer: Trainer) => Promise<unknown>, RegExp]>([
    [
      "validate",
      (trainer) => trainer.validate(toyTest()),
      /user\.onTrainBatchEnd: trainer\.validate: .*fit in progress.*(.|\n)*await trainer\.evaluate\(loader\)/,
    ],
    [
      "validateAll",
      (trainer) => trainer.validateAll(toyTest()),
      /trainer\.validateAll: .*(.|\n)*trainer\.evaluate\(loader\)/,
    ],
    ["predict", (trainer) => take(trainer.predict(toyTest())), /trainer\.predict: .*(.|\n)*predict after the fit/],
    ["fit", (trainer) => trainer.fit(toyTrain()), /trainer\.fit: .*fit in progress/],
    [
      "loadCheckpoint",
      (trainer) => trainer.loadCheckpoint(`${trainer.options.modelDir}/checkpoints/checkpoint_2.safetensors`),
      /trainer\.loadCheckpoint: .*(.|\n)*ckptPath/,
    ],
  ])("%s is refused by name, and the run is the same without it", async (_, call, message) => {
    const errors: unknown[] = [];
    const caught = hooked((trainer) => call(trainer).catch((error) => void errors.push(error)));
    const run = await toyTrainer(options({ callbacks: [caught] })).fit(toyTrain(), toyTest());
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(TrainingError);
    const failing = toyTrainer(options({ callbacks: [hooked(call)] })).fit(toyTrain(), toyTest());
    await expect(failing).rejects.toThrow(message);
    const clean = await toyTrainer(options()).fit(toyTrain(), toyTest());
    expect(run.digest).toBe(clean.digest);
  });

  test("evaluate gives the numbers of validation, also inside another one's hooks, and leaves the run as it is", async () => {
    const found: unknown[] = [];
    const callbacks = (): Callback[] => [
      hooked(async (trainer) => void found.push(await trainer.evaluate(toyTest()))),
      {
        changesTraining: false,
        async onValidateEnd({ trainer, decides }) {
          if (decides) found.push(await trainer.evaluate(toyTest(), { silent: true }));
        },
      },
    ];
    const run = await toyTrainer(options({ callbacks: callbacks() })).fit(toyTrain(), toyTest());
    const clean = await toyTrainer(options()).fit(toyTrain(), toyTest());
    expect([run.digest, run.metrics]).toEqual([clean.digest, clean.metrics]);
    expect(found).toHaveLength(4);
    expect(found.at(-1)).toEqual(clean.metrics);
  });

  test("evaluate decides nothing: neither the rate nor the length of the run goes by it", async () => {
    const steered = (callbacks: Callback[] = []): Partial<TrainerOptions> =>
      options({
        loop: { numSteps: 8, evalFrequency: 2 },
        schedulers: () => optim.reduceOnPlateauLR({ initialLearningRate: 0.02, patience: 0, threshold: 0.05 }),
        callbacks: [new EarlyStopping({ patience: 6 }), ...callbacks],
      });
    const asks: Callback = {
      changesTraining: false,
      async onTrainBatchEnd({ trainer }) {
        for (let i = 0; i < 3; i++) await trainer.evaluate(toyTest());
      },
    };
    const run = await toyTrainer(steered([asks])).fit(toyTrain(), toyTest());
    const clean = await toyTrainer(steered()).fit(toyTrain(), toyTest());
    expect([run.steps, run.digest]).toEqual([8, clean.digest]);
  });

  test("an evaluation or a save that isn't awaited ends the run by name, before the next step", async () => {
    // Neither has ended when the hook has.
    const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
    const slow: Callback = { changesTraining: false, onValidateStart: pause, onSaveCheckpoint: pause };
    for (const [call, method] of [
      [(trainer: Trainer) => void trainer.evaluate(toyTest()).catch(() => {}), "evaluate"],
      [(trainer: Trainer) => void trainer.saveCheckpoint("mine").catch(() => {}), "saveCheckpoint"],
    ] as const) {
      const fitted = toyTrainer(options({ callbacks: [slow, hooked(call)] })).fit(toyTrain(), toyTest());
      await expect(fitted).rejects.toThrow(
        new RegExp(`step 6: a hook began trainer.${method} and ended before it did`),
      );
    }
  });

  test("saveCheckpoint between steps is a checkpoint to go on from; within a step or a validation it is refused", async () => {
    let path = "";
    const saves = hooked(async (trainer) => {
      path = await trainer.saveCheckpoint("mine");
    });
    const run = await toyTrainer(options({ callbacks: [saves] })).fit(toyTrain(), toyTest());
    const again = await toyTrainer(options()).fit(toyTrain(), toyTest(), { ckptPath: path });
    expect(again.digest).toBe(run.digest);
    for (const hook of ["onAfterOptimizerStep", "onTrainStepEnd"] as const) {
      const early = toyTrainer(options({ callbacks: [hooked((trainer) => trainer.saveCheckpoint(), hook)] }));
      const fitted = early.fit(toyTrain(), toyTest());
      await expect(fitted).rejects.toThrow(CheckpointError);
      await expect(fitted).rejects.toThrow(/the step isn't done with(.|\n)*onTrainBatchEnd/);
    }
    const validating: Callback = { onValidateEnd: async ({ trainer }) => void (await trainer.saveCheckpoint()) };
    await expect(toyTrainer(options({ callbacks: [validating] })).fit(toyTrain(), toyTest())).rejects.toThrow(
      /the step isn't done with/,
    );
    const nested = hooked((trainer) => trainer.evaluate(toyTest()));
    const inNested: Callback = {
      onValidateEnd: async ({ trainer, decides, step }) => {
        if (!decides && step === 5) await trainer.saveCheckpoint();
      },
    };
    await expect(toyTrainer(options({ callbacks: [nested, inNested] })).fit(toyTrain(), toyTest())).rejects.toThrow(
      TrainingError,
    );
  });
});

describe("while a fit is in progress", () => {
  test("evaluate and saveCheckpoint from outside a hook are refused, and so is a second fit", async () => {
    const trainer = toyTrainer(options());
    const fitted = trainer.fit(toyTrain(), toyTest());
    await expect(trainer.evaluate(toyTest())).rejects.toThrow(/trainer\.evaluate: called from outside a hook/);
    await expect(trainer.saveCheckpoint()).rejects.toThrow(/trainer\.saveCheckpoint: called from outside a hook/);
    await expect(trainer.fit(toyTrain())).rejects.toThrow(/trainer\.fit: .*fit in progress/);
    await expect(trainer.validate(toyTest())).rejects.toThrow(TrainingError);
    const clean = await toyTrainer(options()).fit(toyTrain(), toyTest());
    expect((await fitted).digest).toBe(clean.digest);
  });
});

test("evaluations at once give the same numbers, and leave the model in training mode", async () => {
  const trainer = toyTrainer({ loop: { numSteps: 3 } });
  const [a, b] = await Promise.all([trainer.evaluate(toyTest()), trainer.evaluate(toyTest())]);
  expect(a).toEqual(b);
  expect(trainer.model.training).toBe(true);
});

test("a prediction that was begun goes on only under its own weights", async () => {
  const trainer = toyTrainer({ loop: { numSteps: 3 } });
  const predictions = trainer.predict(toyTest());
  await predictions.next();
  await trainer.fit(toyTrain());
  await expect(predictions.next()).rejects.toThrow(/the weights were replaced since the first batch/);
});

test("a stop that was asked for before a fit doesn't end it", async () => {
  const trainer = toyTrainer({ loop: { numSteps: 3 } });
  trainer.stop("too early");
  expect((await trainer.fit(toyTrain())).steps).toBe(3);
});

test("a validation outside a fit decides nothing about the fit after it", async () => {
  const stopping = () =>
    toyTrainer({ loop: { numSteps: 3, evalFrequency: 1 }, callbacks: [new EarlyStopping({ divergenceThreshold: 0 })] });
  const trainer = stopping();
  await trainer.validate(toyTest());
  expect(trainer.progress.stopped).toBeUndefined();
  expect((await trainer.fit(toyTrain(), toyTest())).digest).toBe((await stopping().fit(toyTrain(), toyTest())).digest);
});
