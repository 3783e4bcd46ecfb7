// Every optimizer that a config may name, in a small run: the same digest on other backends, and after a stop and a resume; what a config's
// optimizer gets of its groups; and what bad input gets.
import { describe, expect, test } from "vitest";
import { ConfigError, TrainingError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { Parameter } from "../../src/program/variable.ts";
import { tensor } from "../../src/tensor/functions.ts";
import { optimizers } from "../../src/train/config/families.ts";
import { parseConfig } from "../../src/train/config/parse.ts";
import { temporaryFolder } from "../support/folder.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

/** Options that turn on what an optimizer has; every one runs with them and a decay where it takes one. */
const options: Record<string, string> = {
  SGD: "weight_decay: 0.01, momentum: 0.9, dampening: 0.1",
  Adam: "weight_decay: 0.01, amsgrad: true",
  AdamW: "maximize: true",
  Adagrad: "weight_decay: 0.01, learning_rate_decay: 0.1, initial_accumulator_value: 0.1",
  Adadelta: "weight_decay: 0.01",
  Adamax: "weight_decay: 0.01",
  NAdam: "weight_decay: 0.01, decoupled_weight_decay: true",
  RAdam: "weight_decay: 0.01, betas: [0.9, 0.95]",
  RMSprop: "weight_decay: 0.01, centered: true, momentum: 0.9",
  Rprop: "etas: [0.5, 1.3]",
  ASGD: "weight_decay: 0.01, t0: 3",
  Lamb: "weight_decay: 0.01",
  LBFGS: "weight_decay: 0.01, history_size: 3, line_search: strong_wolfe, line_search_steps: 3",
  Lion: "weight_decay: 0.01",
  Adafactor: "weight_decay: 0.01, beta1: 0.9, relative_step: true",
  Muon: "weight_decay: 0.01, adam: [3.*]",
};

/** Options of those that go around another, beside that one. */
const around: Record<string, string> = { Lookahead: "every: 3", SAM: "rho: 0.1, adaptive: true" };
const whole = {
  ...Object.fromEntries(Object.entries(options).map(([name, text]) => [name, `learning_rate: 0.01, ${text}`])),
  ...Object.fromEntries(
    Object.entries(around).map(([name, text]) => [
      name,
      `optimizer: {SGD: {learning_rate: 0.01, momentum: 0.9}}, ${text}`,
    ]),
  ),
};

const config = (optimizer: string) =>
  parseConfig(
    `trainer: {init: {seed: 1, model: {name: mlp, sizes: [4, 8, 2]}, optimizer: ${optimizer}, loop: {num_steps: 1}}}`,
    "o.yaml",
  ).trainer.init.optimizer!;
const make = (optimizer: string) => {
  const choice = config(optimizer);
  return (model: nn.Module) => optimizers.make(choice, model);
};

test("every optimizer of the catalog is tried", () => {
  expect(Object.keys(whole).sort()).toEqual([...optimizers.names].sort());
});

describe.each(Object.entries(whole))("%s", (name, text) => {
  const optimizer = make(`{${name}: {${text}}}`);
  const loop = { numSteps: 8 };

  test("one digest on every backend, and after a stop and a resume", async () => {
    const whole = await toyTrainer({ optimizer, loop }).fit(toyTrain());
    for (const backend of ["Muon", "Rprop"].includes(name) ? ["wasm", "gpujs:cpu"] : ["wasm"])
      expect((await toyTrainer({ optimizer, loop, backend }).fit(toyTrain())).digest).toBe(whole.digest);

    const resumed = { optimizer, loop, backend: "wasm", modelDir: temporaryFolder(), checkpoint: { steps: 1 } };
    const stop = {
      onTrainBatchEnd({ step }: { step: number }) {
        if (step === 5) throw new Error("stop");
      },
    };
    await expect(toyTrainer({ ...resumed, callbacks: [stop] }).fit(toyTrain())).rejects.toThrow(TrainingError);
    expect((await toyTrainer(resumed).fit(toyTrain())).digest).toBe(whole.digest);
  });
});

test.each(Object.keys(options).filter((name) => name !== "Rprop"))(
  "%s: a group that begins to decay by hand is traced anew, and decays",
  async (name) => {
    const after = async (weightDecay: number) => {
      const p = new Parameter(tensor([[1, -2, 3]]));
      p.label = "p";
      const rule = make(`{${name}: {learning_rate: 0.01, weight_decay: 0}}`)({
        parameters: () => [p],
      } as unknown as nn.Module);
      const step = compile(() => void rule.update([tensor([[1, 1, 1]])]), { state: rule });
      await step();
      rule.groups[0].weightDecay = weightDecay;
      await step();
      return p.array();
    };
    expect(await after(0.5)).not.toEqual(await after(0));
  },
);

describe("parameter groups by glob", () => {
  const groupsOf = (groups: string, rest = "weight_decay: 0.1") => {
    const model = nn.sequential(nn.linear(4, 8), nn.layerNorm(8), nn.linear(8, 2));
    const { groups: made } = make(`{SGD: {learning_rate: 0.5, ${rest}, groups: ${groups}}}`)(model);
    return made.map(({ names, learningRate, weightDecay, tags }) => [names, learningRate, weightDecay, tags]);
  };

  test("the first that matches has a parameter; the rest is the last group", () => {
    expect(
      groupsOf(
        '[{parameters: "2.*", learning_rate: 0.1, tags: head}, {parameters: ["*.bias", "1.?eight"], weight_decay: 0}]',
      ),
    ).toEqual([
      [["2.weight"], 0.1, 0.1, ["head"]],
      [["2.bias"], 0.1, 0, ["head"]],
      [["0.bias", "1.weight", "1.bias"], 0.5, 0, []],
      [["0.weight"], 0.5, 0.1, []],
    ]);
  });

  test("decay_all of a group decays its biases too", () => {
    expect(groupsOf('[{parameters: "0.*", decay_all: true, tags: [a, b]}]').slice(0, 2)).toEqual([
      [["0.weight", "0.bias"], 0.5, 0.1, ["a", "b"]],
      [["2.weight"], 0.5, 0.1, []],
    ]);
  });

  test("in code, from a model's parameters", () => {
    const model = nn.sequential(nn.linear(2, 2));
    const groups = optim.parameterGroups(model.parameters(), [{ parameters: "*", adjustLearningRate: 0.5 }]);
    expect(optim.sgd(groups, { learningRate: 1 }).groups).toMatchObject([
      { names: ["0.weight", "0.bias"], adjustLearningRate: 0.5, learningRate: 1 },
    ]);
  });

  test("a glob that matches nothing, or nothing that is left, is refused with a hint", () => {
    expect(() => groupsOf('[{parameters: "0.wieght"}]')).toThrow(/no parameter's path matches.*did you mean 0.weight/s);
    expect(() => groupsOf('[{parameters: "*.bias"}, {parameters: "2.bias"}]')).toThrow(/groups\[1\].*narrower/s);
    expect(() => groupsOf("[{parameters: []}]")).toThrow(ConfigError);
    expect(() => groupsOf("[{parameter: x}]")).toThrow(/did you mean parameters/);
    expect(() => groupsOf('[{parameters: "*", weight_decay: -1}]')).toThrow(/≥ 0/);
    expect(() => groupsOf("[{learning_rate: 1}]")).toThrow(/required/);
  });

  test("dots and brackets in a glob stand for themselves", () => {
    const p = new Parameter(tensor([1]));
    p.label = "a.b";
    expect(optim.parameterGroups([p], [{ parameters: "a.?" }])).toHaveLength(1);
    for (const glob of ["a?b?", "aXb", "a.", "[a].b", "A.b"])
      expect(() => optim.parameterGroups([p], [{ parameters: glob }])).toThrow(ConfigError);
  });
});

describe("bad input", () => {
  test.each([
    ["{SGD: {learning_rate: 1, momentum: 1}}", /momentum.*\[0, 1\)/s],
    ["{SGD: {learning_rate: 1, momentum: 0.9, nesterov: true, dampening: 0.1}}", undefined],
    ["{Adam: {learning_rate: 1, betas: [0.9]}}", /two numbers/],
    ["{Adam: {learning_rate: 1, amsgrad: 1}}", /true or false/],
    ["{AdamW: {weight_decay: 0.1}}", /learning_rate.*required|required.*learning_rate/s],
    ["{Adagrad: {learning_rate: 1, eps: 1}}", /unknown key/],
    ["{RMSprop: {learning_rate: 1, alpha: 1}}", /alpha/],
    ["{Rprop: {learning_rate: 1, weight_decay: 0.1}}", /unknown key/],
    ["{Rprop: {learning_rate: 1, etas: [2, 3]}}", undefined],
    ["{Rprop: {learning_rate: 1, groups: [{parameters: '*', weight_decay: 0.1}]}}", undefined],
    ["{Adafactor: {learning_rate: 1, decay_rate: 0.8}}", /\[-1, 0\)/],
    ["{Adafactor: {learning_rate: 1, clip_threshold: 0}}", /> 0/],
    ["{Muon: {learning_rate: 1, adjust: other}}", /one of original/],
    ["{Muon: {learning_rate: 1, newton_schulz_steps: 0}}", /≥ 1/],
    ["{Muon: {learning_rate: 1, adam: ['x.*']}}", undefined],
    ["{Lion: {learning_rate: -1}}", /≥ 0/],
    ["{Lyon: {learning_rate: 1}}", /did you mean Lion/],
  ])("%s", (text, message) => {
    const model = nn.sequential(nn.linear(4, 8), nn.linear(8, 2));
    expect(() => make(text)(model)).toThrow(ConfigError);
    if (message) expect(() => config(text)).toThrow(message);
  });
});
