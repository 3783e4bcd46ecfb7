// What goes by a validated number names one that there can be: else the fit is refused before its first step, and before it touches a folder.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import type { DataLoader } from "../../src/data/loader.ts";
import * as nn from "../../src/nn/index.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import {
  accuracy,
  auc,
  dice,
  fBeta,
  type Metric,
  mean,
  meanIoU,
  perClassAccuracy,
  perplexity,
  precision,
  precisionAtK,
  recall,
  recallAtK,
  topKAccuracy,
} from "../../src/nn/metrics.ts";
import * as optim from "../../src/optim/index.ts";
import { checkMonitored, directionOf, monitored } from "../../src/optim/monitored.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { EarlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import { trainerOptions } from "../../src/train/config/build.ts";
import { parsePhases } from "../../src/train/config/parse.ts";
import type { Callback, TrainerOptions } from "../../src/train/contract.ts";
import { numberNames } from "../../src/train/numbers.ts";
import { Trainer } from "../../src/train/trainer.ts";
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
  expect(() => checkMonitored("here", "each/x", { names: ["each"], several: ["each"], modes: {} })).not.toThrow();
  expect(() => checkMonitored("here", "eachx", { names: ["each"], several: ["each"], modes: {} })).toThrow(ConfigError);
});

describe("which values of a number are better", () => {
  const ownMetric: Metric = { ...accuracy(), name: "mine", mode: undefined };
  const named = {
    accuracy: accuracy(),
    each: perClassAccuracy(),
    perplexity: perplexity(),
    mean_mse: mean(crossEntropy, "mean_mse"),
    loss_of_accuracy: accuracy(),
    error: mean((outputs) => outputs.mean(), "error", { mode: "max" }),
    mine: ownMetric,
    mean_mine: mean((outputs) => outputs.mean(), "mean_mine"),
  };
  const names = numberNames({ metrics: Object.entries(named).map(([name, metric]) => ({ name, metric })) }, loaders());

  test.each<[string, "min" | "max"]>([
    ["loss", "min"],
    ["held/loss", "min"],
    ["loss/loss", "min"],
    ["accuracy", "max"],
    ["loss/accuracy", "max"],
    ["each/0", "max"],
    ["held#2/each/mean", "max"],
    ["perplexity", "min"],
    ["held/perplexity", "min"],
    ["mean_mse", "min"],
    ["loss_of_accuracy", "max"],
    ["error", "max"],
    ["held#2/error", "max"],
  ])("%s: %s", (metric, mode) => {
    expect(directionOf("here", metric, undefined, names)).toBe(mode);
    expect(directionOf("here", metric, "max", names)).toBe("max");
  });

  test.each(["mine", "mean_mine", "held/mine"])("%s doesn't say, and is asked for", (metric) => {
    expect(() => directionOf("here", metric, undefined, names)).toThrow(ConfigError);
    expect(() => directionOf("here", metric, undefined, names)).toThrow(
      /here\.mode: nothing says whether less or more of this number is better: got .*, expected min or max/,
    );
    expect(directionOf("here", metric, "min", names)).toBe("min");
  });

  test("every metric of the library says its own", () => {
    const all = [
      ...[accuracy(), auc(), auc({ bins: 8 }), dice(), fBeta(), meanIoU(), perClassAccuracy(), precision(), recall()],
      ...[precisionAtK({ k: 1 }), recallAtK({ k: 1 }), topKAccuracy()],
    ];
    expect(all.map(({ mode }) => mode)).toEqual(all.map(() => "max"));
    expect(perplexity().mode).toBe("min");
    const config =
      "metrics: [{mean: {loss: mse}}, {mean: {loss: l1}}, {mean: {loss: huber}}, {mean: {loss: cross_entropy}}]";
    const [phase] = parsePhases(`trainer: {init: {model: {name: mlp, sizes: [2, 1]}, ${config}}}`, "x.yaml");
    const { metrics: made } = new Trainer({ ...trainerOptions(phase), logging: { logLevel: "silent" } }).options;
    expect(made.map(({ name, metric }) => [name, metric.mode])).toEqual([
      ["mean_mse", "min"],
      ["mean_l1", "min"],
      ["mean_huber", "min"],
      ["mean_cross_entropy", "min"],
    ]);
  });

  /** What each of those that choose by a number comes to, without a `mode`. */
  const chosen = async (metric: string, measured: Metric, mode?: "min" | "max") => {
    const modelDir = temporaryFolder();
    const state: Record<string, unknown>[] = [];
    const schedulers = optim.reduceOnPlateauLR({ initialLearningRate: 0.2, metric, mode, patience: 0, threshold: 0 });
    const stopping = new EarlyStopping({ metric, mode, patience: 9 });
    const seen: Callback = {
      changesTraining: false,
      onTrainEnd: () => void state.push(schedulers.steering!.saveState() as never, stopping.saveState() as never),
    };
    await toyTrainer({
      modelDir,
      schedulers,
      metrics: { [metric]: measured },
      callbacks: [stopping, seen],
      checkpoint: { keep: 1, keepBest: { metric, mode } },
      loop: { numSteps: 8, evalFrequency: 2 },
    }).fit(toyTrain(), toyTest());
    const values = (await toyTrainer({ modelDir, metrics: { [metric]: measured } }).validateAll(toyTest())).map(
      (found) => found.metrics[metric],
    );
    return { plateau: state[0].best, stopping: state[1].best, kept: values };
  };

  test.each<[string, Metric]>([
    ["accuracy", accuracy()],
    ["perplexity", perplexity()],
  ])(
    "by %s without a mode, schedule, stopping and checkpoints choose one and the same best",
    async (metric, measured) => {
      const { plateau, stopping, kept } = await chosen(metric, measured);
      expect(stopping).toBe(plateau);
      expect(kept).toContain(plateau);
    },
  );

  test.each(going)(
    "%s by a metric of one's own without a direction is refused before the first step",
    async (_, by) => {
      const metric = { mine: ownMetric };
      const options = by("mine");
      const { callbacks, checkpoint } = options;
      const bare: Partial<TrainerOptions> = {
        ...options,
        ...(callbacks && { callbacks: [new EarlyStopping({ metric: "mine" })] }),
        ...(checkpoint && { checkpoint: { keepBest: { metric: "mine" } } }),
      };
      await expect(fitted({ metrics: metric, ...bare })).rejects.toMatchObject({ steps: 0, name: "ConfigError" });
      await expect(fitted({ metrics: metric, ...bare })).rejects.toThrow(/mode: nothing says whether less or more/);
    },
  );
});

/** A model with a loss of its own, which says a number beside it. */
class Parted extends nn.Module {
  readonly layer = nn.linear(4, 2);
  override forward(inputs: Tensor, batch?: nn.Batch) {
    const outputs = this.layer.forward(inputs);
    return { loss: crossEntropy(outputs, batch!.targets), outputs, spread: outputs.square().mean() };
  }
}

test.each(going)(
  "%s goes by a number that the model says beside its loss; one that it doesn't is known at the first validation",
  async (where, by) => {
    const own = { loss: undefined, model: () => new Parted() };
    const mode = (metric: string) =>
      where === "ReduceOnPlateauLR.metric"
        ? { schedulers: optim.reduceOnPlateauLR({ initialLearningRate: 0.01, metric, mode: "min" as const }) }
        : by(metric);
    expect(await fitted({ ...own, ...mode("spread") })).toBe(2);
    const unknown = fitted({ ...own, ...mode("spred") });
    await expect(unknown).rejects.toThrow(
      /no such number: got spred, expected one of loss, spread, .*did you mean spread\?/s,
    );
    await expect(unknown).rejects.toMatchObject({ steps: 1 });
  },
);
