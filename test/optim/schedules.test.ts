// Schedules in runs: whose numbers they set, the one that goes by validation, and what bad input gets. Their values: test/golden/schedules.test.ts.
import { describe, expect, test } from "vitest";
import { ConfigError, TrainingError } from "../../src/core/errors.ts";
import type * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { schedulers } from "../../src/train/config/families.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import type { Callback } from "../../src/train/contract.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTest, toyTrain, toyTrainer } from "../support/toy.ts";

const steps = Array.from({ length: 50 }, (_, step) => step);
const values = (schedule: optim.Schedule) => steps.map((step) => schedule(step));

/** A scheduler as a config names it. */
function configured(text: string): optim.Schedule {
  const { init } = parseConfig(
    `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 2]}, schedulers: [${text}], loop: {num_steps: 1}}}`,
    "s.yaml",
  ).trainer;
  return schedulers.make(init.schedulers[0]);
}

/** What each form is called and takes, in a config; `$` is LR or WD, and names of values as a decay's. */
const forms: Record<string, string> = {
  Constant: "val: 0.3",
  Linear: "initial_val: 0, end_val: 0.3, total_iters: 20",
  Polynomial: "initial_val: 0.3, end_val: 0.1, total_iters: 20, power: 3, cycle: true",
  Exponential: "initial_val: 0.3, total_iters: 20, decay_rate: 0.5, staircase: true",
  InverseExponentialTimeDecay: "initial_val: 0.3, total_iters: 20, decay_rate: 0.5, step_exponent: 2",
  InverseSquareRootDecay: "initial_val: 0.3, scale: 2, warmup_steps: 5",
  CosineDecay: "initial_val: 0.3, end_val: 0.1, total_iters: 20",
  PiecewiseConstant: "vals: [0.3, 0.2], milestones: [7]",
  MultiStep: "initial_val: 0.3, gamma: 0.5, milestones: [3, 20]",
  Step: "initial_val: 0.3, gamma: 0.5, step_size: 9",
  CosineAnnealing: "initial_val: 0.3, T_max: 20, eta_min: 0.1",
  CosineAnnealingWarmRestarts: "initial_val: 0.3, T_0: 7, T_mult: 2, eta_min: 0.1",
  Multiplicative: "initial_val: 0.3, coefficient: 0.9",
  Cyclic: "base_val: 0.1, max_val: 0.3, step_size_up: 6, step_size_down: 3, mode: triangular2",
  OneCycle: "initial_val: 0.1, max_val: 0.3, total_steps: 40, anneal_strategy: linear",
  ReduceOnPlateau: "initial_val: 0.3, min_val: 0.1, patience: 2",
};
const asRate = (options: string) =>
  Object.entries({
    initial_val: "initial_learning_rate",
    end_val: "end_learning_rate",
    max_val: "max_lr",
    base_val: "base_lr",
    min_val: "min_lr",
    vals: "learning_rates",
    val: "learning_rate",
  }).reduce((text, [from, to]) => text.replace(new RegExp(`\\b${from}:`), `${to}:`), options);
const rateName = (form: string) => (form === "CosineAnnealingWarmRestarts" ? form : `${form}LR`);

describe("from a config", () => {
  test.each(Object.entries(forms))(
    "%s: one form for both numbers, and not constant where it shouldn't be",
    (form, options) => {
      const [rate, decay] = [
        configured(`{${rateName(form)}: {${asRate(options)}}}`),
        configured(`{${form}WD: {${options}}}`),
      ];
      expect([rate.key, decay.key]).toEqual(["learningRate", "weightDecay"]);
      expect(values(rate)).toEqual(values(decay));
      expect(new Set(values(rate)).size > 1).toBe(!["Constant", "ReduceOnPlateau"].includes(form));
    },
  );

  test("every name of the catalog is tried here", () => {
    const composed = ["Sequential", "Chained"].flatMap((name) => [`${name}LR`, `${name}WD`]);
    const tried = [
      ...Object.keys(forms).flatMap((form) => [rateName(form), `${form}WD`]),
      ...composed,
      "ScalePerParamLR",
    ];
    expect(tried.sort()).toEqual([...schedulers.names].sort());
  });

  test("composed", () => {
    const part = "{ExponentialWD: {initial_val: 0.5, total_iters: 10, decay_rate: 0.5}}";
    const sequential = configured(`{SequentialWD: {schedulers: [${part}, {ConstantWD: {val: 1}}]}}`);
    expect([9, 10].map((step) => sequential(step))).toEqual([configured(part)(9), 1]);
    const chained = configured(
      `{ChainedLR: {schedulers: [{ConstantLR: {lr: 2}}, {StepLR: {initial_learning_rate: 3, gamma: 0.5, step_size: 4}}]}}`,
    );
    expect([0, 4, 8].map((step) => chained(step))).toEqual([2, 1, 0.5]);
    const scaled = configured("{ScalePerParamLR: {scheduler: {ConstantLR: {learning_rate: 2}}, param_group_tags: a}}");
    expect([scaled(0), scaled(0, { adjustLearningRate: 0.25 })]).toEqual([2, 0.5]);
    expect(scaled.paramGroupTags).toEqual(["a"]);
  });

  test.each([
    ["{LinearLR: {initial_val: 0, end_val: 1, total_iters: 3}}", /unknown key: got initial_val/],
    ["{LinearWD: {initial_learning_rate: 0, end_val: 1, total_iters: 3}}", /unknown key/],
    ["{CosineAnnealingLR: {initial_learning_rate: 1, t_max: 3}}", /did you mean T_max/],
    ["{CosineAnnealingWarmRestarts: {initial_learning_rate: 1, T_0: 0}}", /T_0.*≥ 1/],
    ["{CyclicLR: {base_lr: 0, max_lr: 1, mode: square}}", /one of triangular/],
    ["{OneCycleLR: {initial_learning_rate: 0, max_lr: 1, pct_start: 1}}", /\(0, 1\)/],
    ["{SequentialLR: {schedulers: []}}", /at least one scheduler/],
    ["{ReduceOnPlateauLR: {initial_learning_rate: 1, factor: 1}}", /factor.*\[0, 1\)/],
    ["{ScalePerParamLR: {scheduler: {LinaerLR: {}}}}", /did you mean LinearLR/],
    ["{LambdaLR: {initial_learning_rate: 1}}", /unknown class/],
    [
      "{SequentialLR: {schedulers: [{LinearWD: {initial_val: 0, end_val: 1, total_iters: 3}}]}}",
      /closed forms of learningRate/,
    ],
    ["{ChainedLR: {schedulers: [{ConstantLR: {lr: 1, param_group_tags: a}}]}}", /with tags/],
    ["{ChainedLR: {schedulers: [{ConstantLR: {lr: 1}}, {ConstantLR: {lr: 0}}]}}", /starts at 0/],
    ["{SequentialLR: {schedulers: [{ReduceOnPlateauLR: {initial_learning_rate: 1}}]}}", /goes by validation/],
    ["{PiecewiseConstantLR: {learning_rates: [1, 2], milestones: [3, 4]}}", /1 ascending steps/],
    ["{MultiStepLR: {initial_learning_rate: 1, gamma: 0.1, milestones: [4, 3]}}", /ascending/],
    [
      "{OneCycleLR: {initial_learning_rate: 0, max_lr: 1, pct_start: 0.5, three_phase: true, total_steps: 2}}",
      /pctStart/,
    ],
  ])("%s", (text, message) => {
    expect(() => configured(text)).toThrow(message);
    expect(() => configured(text)).toThrow(ConfigError);
  });
});

describe("whose numbers they set", () => {
  const optimizer = (model: nn.Module, weightDecay = 0.1) =>
    optim.sgd(
      optim.parameterGroups(model.parameters(), [
        { parameters: "0.*", tags: ["first", "all"], adjustLearningRate: 0.5 },
        { parameters: "3.*", tags: "all" },
      ]),
      { learningRate: 1, weightDecay },
    );
  const numbers = (given: optim.Schedule[], weightDecay = 0.1) => {
    const trainer = toyTrainer({ optimizer: (model) => optimizer(model, weightDecay), schedulers: given });
    trainer.schedules!.apply(1);
    return trainer.optimizer!.groups.map((group) => [group.names[0], group.learningRate, group.weightDecay]);
  };
  const rate = (learningRate: number, paramGroupTags?: string | string[]) =>
    optim.constantLR({ learningRate, paramGroupTags });

  test("all groups, or those with a tag; decays only where weights decay", () => {
    const decay = optim.constantWD({ val: 0.01, paramGroupTags: "all" });
    expect(numbers([rate(3, "first"), decay])).toEqual([
      ["0.weight", 3, 0.01],
      ["0.bias", 3, 0],
      ["3.weight", 1, 0.01],
      ["3.bias", 1, 0],
    ]);
    expect(numbers([optim.scalePerParamLR({ scheduler: rate(4) })], 0)).toEqual([
      ["0.weight", 2, 0],
      ["3.weight", 4, 0],
    ]);
  });

  test.each([
    [[rate(1), rate(2, "first")], 0.1, /two schedulers set the learning rate.*0.weight/s],
    [[rate(1, "frist")], 0.1, /no parameter group has the tag.*did you mean first/s],
    [[optim.constantWD({ val: 1 }), optim.linearWD({ initialVal: 0, endVal: 1, totalIters: 2 })], 0.1, /weight decay/],
    [[optim.constantWD({ val: 1 })], 0, /no group decays weights/],
  ])("refused: %#", (given, weightDecay, message) => {
    expect(() => numbers(given, weightDecay)).toThrow(message);
    expect(() => numbers(given, weightDecay)).toThrow(ConfigError);
  });

  test("a schedule of rates for Rprop is refused; a value that is none stops the run", async () => {
    expect(() =>
      toyTrainer({ optimizer: (m) => optim.rprop(m.parameters(), { learningRate: 1 }), schedulers: rate(1) }),
    ).toThrow(/adapt by themselves/);
    const schedule = optim.lambdaLR({ initialLearningRate: 1, lambda: (step) => (step < 2 ? 0.01 : Number.NaN) });
    await expect(toyTrainer({ schedulers: schedule }).fit(toyTrain())).rejects.toThrow(/step 3.*learning rate.*NaN/s);
  });

  test("a decay that grows from 0 is one graph throughout, and the same after a resume", async () => {
    const options = {
      optimizer: (model: nn.Module) => optim.adamW(model.parameters(), { learningRate: 0.01, weightDecay: 1 }),
      schedulers: [optim.linearWD({ initialVal: 0, endVal: 2, totalIters: 6 }), rate(0.02)],
      loop: { numSteps: 8 },
    };
    const trainer = toyTrainer(options);
    const { digest } = await trainer.fit(toyTrain());
    expect(Object.keys(trainer.graphs).sort()).toEqual(["init", "train"]);
    expect((await toyTrainer({ ...options, schedulers: [rate(0.02)] }).fit(toyTrain())).digest).not.toBe(digest);
    const stop: Callback = {
      onTrainBatchEnd({ step }) {
        if (step === 3) throw new Error("stop");
      },
    };
    const resumed = { ...options, modelDir: temporaryFolder(), checkpoint: { steps: 1 } };
    await expect(toyTrainer({ ...resumed, callbacks: [stop] }).fit(toyTrain())).rejects.toThrow(TrainingError);
    expect((await toyTrainer(resumed).fit(toyTrain())).digest).toBe(digest);
  });
});

describe("ReduceOnPlateau: validation is part of the run", () => {
  const options = {
    schedulers: () =>
      optim.reduceOnPlateauLR({ initialLearningRate: 0.02, factor: 0.5, patience: 0, metric: "accuracy", mode: "max" }),
    loop: { numSteps: 12, evalFrequency: 1 },
  } as const;

  test("its rate falls; stopped anywhere and resumed, and replayed, the same digest", async () => {
    const rates: number[] = [];
    const seen: Callback = { onTrainStepEnd: ({ learningRate }) => void rates.push(learningRate) };
    const folder = temporaryFolder();
    const kept = { ...options, modelDir: folder, checkpoint: { steps: 1 } };
    const trainer = toyTrainer({ ...kept, callbacks: [{ ...seen, changesTraining: false }] });
    const run = await trainer.fit(toyTrain(), toyTest());
    expect(rates[0]).toBe(0.02);
    expect(new Set(rates).size).toBeGreaterThan(2);
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
    expect(await trainer.verify(folder)).toMatchObject({ equal: true, digest: run.digest, steps: 12 });
    expect(await trainer.verify(folder, { from: 7 })).toMatchObject({ equal: true, steps: 5 });

    for (const at of [1, 6, 11]) {
      const stopped = { ...kept, modelDir: temporaryFolder() };
      const stop: Callback = {
        onTrainBatchEnd({ step }) {
          if (step === at) throw new Error("stop");
        },
      };
      await expect(toyTrainer({ ...stopped, callbacks: [stop] }).fit(toyTrain(), toyTest())).rejects.toThrow("stop");
      expect((await toyTrainer(stopped).fit(toyTrain(), toyTest())).digest).toBe(run.digest);
    }
  });

  test("one schedule given to two Trainers begins anew in each", async () => {
    const schedulers = options.schedulers();
    const digests = [];
    for (let i = 0; i < 2; i++)
      digests.push((await toyTrainer({ ...options, schedulers }).fit(toyTrain(), toyTest())).digest);
    expect(digests[0]).toBe(digests[1]);
  });

  test("without validation, or without that number: refused", async () => {
    await expect(toyTrainer(options).fit(toyTrain())).rejects.toThrow(/ReduceOnPlateauLR.*nothing is validated/s);
    await expect(toyTrainer({ ...options, loop: { numSteps: 3 } }).fit(toyTrain(), toyTest())).rejects.toThrow(
      ConfigError,
    );
    const schedulers = optim.reduceOnPlateauLR({ initialLearningRate: 0.02, metric: "f1" });
    await expect(toyTrainer({ ...options, schedulers }).fit(toyTrain(), toyTest())).rejects.toThrow(
      /no such number.*f1.*accuracy/s,
    );
  });
});
