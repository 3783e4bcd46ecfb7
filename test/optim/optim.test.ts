// Optimizers, clipping and schedules: closed forms by hand to the bit, and what bad input gets. Against PyTorch: test/golden.
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../src/core/errors.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { Parameter } from "../../src/program/variable.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => {
  manualSeed(0);
  return setDefaultBackend("reference");
});
const f = Math.fround;

describe("optimizers", () => {
  test("L-BFGS's short first step is that of a state without a gradient, whatever steps are counted; a gradient that is NaN shows", async () => {
    const w = new Parameter(tensor([3]));
    const rule = optim.lbfgs([w], { learningRate: 0.5 });
    // As after steps that a loss scale took back.
    rule.seek(2);
    rule.update([tensor([64])]);
    expect(await w.array()).toEqual([2.5]);
    rule.update([tensor([Number.NaN])]);
    expect(await w.array()).toEqual([Number.NaN]);
  });

  test("SGD with momentum, by hand, eager and compiled alike", async () => {
    const make = () => {
      const p = new Parameter(tensor([1, -2]));
      return { p, rule: optim.sgd([p], { learningRate: 0.1, momentum: 0.9 }) };
    };
    const [eager, compiled] = [make(), make()];
    const step = compile(
      (g: Tensor) => {
        compiled.rule.update([g]);
        return [];
      },
      { state: compiled.rule },
    );
    let [value, b] = [1, 0];
    for (const g of [0.5, 0.25, -1]) {
      eager.rule.update([tensor([g, g])]);
      await step(tensor([g, g]));
      b = f(f(b * f(0.9)) + g);
      value = f(value - f(b * f(0.1)));
    }
    expect((await eager.p.data())[0]).toBe(value);
    expect(await compiled.p.data()).toEqual(await eager.p.data());
    expect([eager.rule.steps, compiled.rule.steps]).toEqual([3, 3]);
  });

  test("decay: matrices only unless asked; groups have their own numbers", () => {
    const [w, b] = [new Parameter(tensor([[1]])), new Parameter(tensor([1]))];
    const groups = (options: object) =>
      optim
        .adamW([w, b], { learningRate: 1, ...options })
        .groups.map(({ parameters, weightDecay }) => [parameters.length, weightDecay]);
    expect(groups({})).toEqual([
      [1, 0.01],
      [1, 0],
    ]);
    expect(groups({ decayAll: true })).toEqual([[2, 0.01]]);
    const split = optim.sgd([{ parameters: [w], learningRate: 0.5 }, { parameters: [b] }], { learningRate: 0.1 });
    expect(split.groups.map(({ learningRate }) => learningRate)).toEqual([0.5, 0.1]);
  });

  test("a learning rate set between steps is used by the compiled step", async () => {
    const p = new Parameter(tensor([0]));
    const rule = optim.sgd([p], { learningRate: 1 });
    const step = compile(
      (g: Tensor) => {
        rule.update([g]);
        return [];
      },
      { state: rule },
    );
    await step(tensor([1]));
    rule.groups[0].learningRate = 10;
    await step(tensor([1]));
    expect(await p.item()).toBe(-11);
  });

  test("slots are named; parameters come in the order given, and by their paths where asked", () => {
    const [a, b] = [new Parameter(tensor([1])), new Parameter(tensor([1]))];
    [a.label, b.label] = ["z", "m"];
    const rule = optim.adam([a, b], { learningRate: 1 });
    expect(rule.parameters).toEqual([a, b]);
    expect(rule.parameterNames).toEqual(["z", "m"]);
    expect(rule.namedParameters).toEqual([
      ["m", b],
      ["z", a],
    ]);
    expect(
      rule
        .namedVariables()
        .map(([name]) => name)
        .sort(),
    ).toEqual(["optimizer/m/m", "optimizer/m/z", "optimizer/v/m", "optimizer/v/z", "parameter/m", "parameter/z"]);
  });

  test("bad input", () => {
    const p = new Parameter(tensor([1]));
    expect(() => optim.sgd([], { learningRate: 1 })).toThrow(ConfigError);
    expect(() => optim.sgd([p], { learningRate: -1 })).toThrow(/sgd.learningRate/);
    expect(() => optim.sgd([p], { learningRate: 1, nesterov: true })).toThrow(/momentum/);
    expect(() => optim.adam([p], { learningRate: 1, betas: [1, 0.9] })).toThrow(/betas/);
    expect(() => optim.adam([p, p], { learningRate: 1 })).toThrow(/twice/);
    expect(() => optim.sgd([p], { learningRate: 1 }).update([])).toThrow(ShapeError);
    expect(() => optim.sgd([p], { learningRate: 1 }).update([tensor([1, 2])])).toThrow(ShapeError);
  });
});

describe("clipping", () => {
  test("by global norm: unchanged below the limit, scaled above", async () => {
    const small = optim.clipByGlobalNorm([tensor([0.3]), tensor([0.4])], 1);
    expect(await small.gradients[1].item()).toBe(f(0.4));
    const large = optim.clipByGlobalNorm([tensor([3]), tensor([4])], 1);
    expect(await large.norm.item()).toBe(5);
    expect(await large.gradients[0].item()).toBe(f(3 * f(1 / f(5 + f(1e-6)))));
  });

  test("by value; NaN stays", async () => {
    expect(await optim.clipByValue([tensor([5, -5, 0.5, Number.NaN])], 1)[0].array()).toEqual([1, -1, 0.5, Number.NaN]);
    expect(() => optim.clipByValue([], 0)).toThrow(ConfigError);
    expect(() => optim.clipByGlobalNorm([tensor([1])], Number.NaN)).toThrow(ConfigError);
  });
});

describe("schedules: closed forms of the step", () => {
  test("warm-up and cosine decay of the preset", () => {
    const schedule = optim.sequentialLR({
      schedulers: [
        optim.linearLR({ initialLearningRate: 0, endLearningRate: 0.003, totalIters: 100 }),
        optim.cosineDecayLR({ initialLearningRate: 0.003, endLearningRate: 0.0001, totalIters: 2711 }),
      ],
    });
    expect(schedule.totalIters).toBe(2811);
    expect([schedule(0), schedule(50), schedule(100), schedule(2811), schedule(9999)]).toEqual([
      0, 0.0015, 0.003, 0.0001, 0.0001,
    ]);
    expect(schedule(100 + 1355)).toBeCloseTo(0.0001 + 0.0029 * 0.5 * (1 + Math.cos((Math.PI * 1355) / 2711)), 12);
  });

  test("constant; milestones", () => {
    const [one, two] = [optim.constantLR({ learningRate: 1 }), optim.constantLR({ learningRate: 2 })];
    const schedule = optim.sequentialLR({ schedulers: [one, two], milestones: [3] });
    expect([0, 2, 3, 100].map((step) => schedule(step))).toEqual([1, 1, 2, 2]);
  });

  test("bad input", () => {
    expect(() => optim.linearLR({ initialLearningRate: 0, endLearningRate: 1, totalIters: 0 })).toThrow(ConfigError);
    expect(() => optim.constantLR({ learningRate: Number.NaN })).toThrow(ConfigError);
    const forever = optim.constantLR({ learningRate: 1 });
    expect(() => optim.sequentialLR({ schedulers: [forever, forever] })).toThrow(/never ends/);
    expect(() => optim.sequentialLR({ schedulers: [forever, forever], milestones: [0] })).toThrow(/ascending/);
    expect(() => optim.sequentialLR({ schedulers: [] })).toThrow(ConfigError);
  });
});
