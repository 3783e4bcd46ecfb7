// The loss and the metrics on the training data: against sums made by hand, the same through a resume, and nothing of the run moved.
import { expect, test } from "vitest";
import { samplesOf } from "../../src/data/groups.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyModel, toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const logged = { logSteps: 1, logLevel: "silent", trainMetrics: true } as const;

test("digest, graph hash and stream are those of a run without them, also with accumulation and a short last batch", async () => {
  for (const loop of [{ numEpochs: 2 }, { numEpochs: 2, gradAccumSteps: 2 }]) {
    const plain = await toyTrainer({ loop }).fit(toyTrain({ dropLast: false }));
    const measured = await toyTrainer({ loop, logging: logged }).fit(toyTrain({ dropLast: false }));
    expect([measured.digest, measured.graphHash, measured.streamPosition]).toEqual([
      plain.digest,
      plain.graphHash,
      plain.streamPosition,
    ]);
    expect(Object.keys(plain.history).some((name) => name.startsWith("train_"))).toBe(false);
  }
});

test.each([1, 2])(
  "the epoch's mean loss weighs samples, %i micro-batches a step; what is running becomes what was whole",
  async (gradAccumSteps) => {
    let [sum, samples] = [0, 0];
    const means: number[] = [];
    const byHand: Callback = {
      onTrainEpochStart() {
        [sum, samples] = [0, 0];
      },
      onTrainStepEnd({ loss, batch }) {
        sum += loss * samplesOf(batch);
        samples += samplesOf(batch);
      },
      onTrainEpochEnd: () => void means.push(sum / samples),
    };
    const { history } = await toyTrainer({
      callbacks: [byHand],
      loop: { numEpochs: 2, gradAccumSteps },
      logging: logged,
    }).fit(toyTrain({ dropLast: false }));
    const { train_loss, train_loss_epoch, train_accuracy, train_accuracy_epoch } = history;
    expect(train_loss_epoch.values).toEqual(means);
    for (const [running, whole] of [
      [train_loss, train_loss_epoch],
      [train_accuracy, train_accuracy_epoch],
    ])
      expect(whole.steps.map((step) => running.values[running.steps.indexOf(step)])).toEqual(whole.values);
    expect(train_accuracy.values.every((value) => value >= 0 && value <= 1)).toBe(true);
  },
);

test("a loss over what counts alone: an epoch that changes nothing has the value of all its samples at once", async () => {
  const trainer = toyTrainer({
    model: () => nn.sequential(nn.linear(4, 2)),
    loss: (outputs, batch) => crossEntropy(outputs, batch, { classWeights: [1, 9] }),
    loop: { numEpochs: 1 },
    logging: logged,
    precision: { maxGradientNorm: 1e-30 },
  });
  const whole = await trainer.evaluate(toyTrain({ batchSize: 70, shuffle: false }));
  const { history } = await trainer.fit(toyTrain({ dropLast: false, shuffle: false }));
  expect(history.train_loss_epoch.values[0]).toBeCloseTo(whole.loss, 5);
});

test("accuracy over one epoch that changes nothing is the validation's of the same data", async () => {
  const model = () => nn.sequential(nn.linear(4, 2));
  const trainer = toyTrainer({ model, loop: { numEpochs: 1 }, logging: logged, precision: { maxGradientNorm: 1e-30 } });
  const before = await trainer.evaluate(toyTrain({ dropLast: false }));
  const { history } = await trainer.fit(toyTrain({ dropLast: false, shuffle: false }));
  expect(history.train_accuracy_epoch.values[0]).toBeCloseTo(before.accuracy, 6);
});

test("stopped inside an epoch and gone on with: the numbers of a run that never stopped", async () => {
  const options = (modelDir: string, callbacks: Callback[] = []): Partial<TrainerOptions> => ({
    modelDir,
    callbacks,
    checkpoint: { steps: 1 },
    loop: { numEpochs: 2 },
    logging: logged,
    model: toyModel,
  });
  const whole = await toyTrainer(options(temporaryFolder())).fit(toyTrain(), toyTest());
  const modelDir = temporaryFolder();
  const crash: Callback = {
    onAfterSaveCheckpoint({ step }) {
      if (step === 6) throw new Error("stop");
    },
  };
  await expect(toyTrainer(options(modelDir, [crash])).fit(toyTrain(), toyTest())).rejects.toThrow(/stop/);
  const resumed = await toyTrainer(options(modelDir)).fit(toyTrain(), toyTest());
  const after = (name: string, { history }: typeof whole) =>
    history[name].steps.flatMap((step, i) => (step > 6 ? [[step, history[name].values[i]]] : []));
  for (const name of ["train_loss", "train_accuracy", "train_loss_epoch", "train_accuracy_epoch"]) {
    expect(after(name, whole).length).toBeGreaterThan(0);
    expect(after(name, resumed)).toEqual(after(name, whole));
  }
});
