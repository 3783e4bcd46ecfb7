// What goes by a validated number names one that there can be: else the fit is refused before its first step, and before it touches a folder.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import type { DataLoader } from "../../src/data/loader.ts";
import { accuracy, perClassAccuracy } from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { checkMonitored, monitored } from "../../src/optim/monitored.ts";
import { EarlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import type { TrainerOptions } from "../../src/train/config/options.ts";
import type { Callback } from "../../src/train/hooks.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

/** Each of those that go by a number, under one name. */
const going: readonly [string, (metric: string) => Partial<TrainerOptions>][] = [
  ["EarlyStopping.metric", (metric) => ({ callbacks: [new EarlyStopping({ metric, mode: "max" })] })],
  [
    "ReduceOnPlateauLR.metric",
    (metric) => ({ schedulers: optim.reduceOnPlateauLR({ initialLearningRate: 0.01, metric }) }),
  ],
  ["checkpoint.keepBest.metric", (metric) => ({ checkpoint: { keepBest: { metric, mode: "max", k: 1 } } })],
];
const second = (name: string): DataLoader => ({ ...toyTest(), name });
const loaders = () => [toyTest(), second("held"), second("held"), second("loss")];
const metrics = () => ({ accuracy: accuracy(), each: perClassAccuracy() });

/** Two steps with validation after each; how many were taken. */
async function fitted(changes: Partial<TrainerOptions>, modelDir = temporaryFolder()): Promise<number> {
  let steps = 0;
  const count: Callback = { changesTraining: false, onTrainStepEnd: () => void steps++ };
  const { callbacks = [] } = changes;
  const loop = { numSteps: 2, evalFrequency: 1 } as const;
  const trainer = toyTrainer({ modelDir, loop, metrics: metrics(), ...changes, callbacks: [...callbacks, count] });
  try {
    await trainer.fit(toyTrain(), loaders());
  } catch (error) {
    throw Object.assign(error as Error, { steps });
  }
  return steps;
}

describe.each(going)("%s", (where, by) => {
  test.each([
    "loss",
    "val_accuracy",
    "each/0",
    "each/mean",
    "held/loss",
    "held#2/accuracy",
    "held/each/1",
    "loss/accuracy",
  ])("goes by %s", async (metric) => {
    const known = [...(await numbersThereAre())];
    if (known.includes(metric.replace(/^val_/, ""))) expect(await fitted(by(metric))).toBe(2);
    // A key that a metric of several numbers doesn't have is known once it has given them.
    else await expect(fitted(by(metric))).rejects.toMatchObject({ steps: 1, name: "ConfigError" });
  });

  test.each<[string, RegExp]>([
    ["acuracy", /did you mean accuracy\?/],
    ["val_los", /got los, .*[\s\S]*did you mean loss\?/],
    ["held/acuracy", /did you mean held\/accuracy\?/],
    ["hold#2/loss", /did you mean held#2\/loss\?/],
    ["loss/0", /expected one of loss, accuracy, each, held\/loss, held\/accuracy, held\/each, held#2\/loss/],
    ["toy/loss", /no such number/],
    ["f1", /no such number: got f1, expected one of (?![\s\S]*Hint)/],
    ["toString", /no such number/],
  ])("doesn't go by %s, and says so before the first step", async (metric, message) => {
    const modelDir = `${temporaryFolder()}/run`;
    const refused = fitted(by(metric), modelDir);
    await expect(refused).rejects.toThrow(ConfigError);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(`${where}: the validation has no such number`);
    await expect(refused).rejects.toMatchObject({ steps: 0 });
    expect(existsSync(modelDir)).toBe(false);
  });
});

let names: Promise<Set<string>> | undefined;
/** The numbers of the toy's validation. */
function numbersThereAre(): Promise<Set<string>> {
  names ??= toyTrainer({ metrics: metrics() })
    .evaluate(loaders())
    .then((found) => new Set(Object.keys(found)));
  return names;
}

test("a number that isn't there, or of a validation without any", () => {
  expect(monitored("here", "loss", { loss: 2 })).toBe(2);
  expect(() => monitored("here", "los", { loss: 2 })).toThrow(
    /here: .*got los, expected one of loss\nHint: did you mean/,
  );
  expect(() => monitored("here", "loss", {})).toThrow(/expected one of none: the model has neither loss nor metrics/);
  expect(() => checkMonitored("here", "each/x", { names: ["each"], several: ["each"] })).not.toThrow();
  expect(() => checkMonitored("here", "eachx", { names: ["each"], several: ["each"] })).toThrow(ConfigError);
});
