// Lookahead around an optimizer: the paper's formula, step by step; in a Trainer, in a set of several, after a stop and a resume.
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { crossEntropy } from "../../src/nn/losses.ts";
import type { Module } from "../../src/nn/module.ts";
import * as optim from "../../src/optim/index.ts";
import { OptimizerSet } from "../../src/optim/set.ts";
import { compile } from "../../src/program/compiled.ts";
import { Parameter } from "../../src/program/variable.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor } from "../../src/tensor/functions.ts";
import type { Callback } from "../../src/train/contract.ts";
import { expectOneDigest, plain } from "../support/around.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

beforeAll(() => setDefaultBackend("reference"));
const f = Math.fround;

describe("optim.lookahead", () => {
  test.each([true, false])(
    "slow weights move every so many steps, and the weights go back to them; compiled: %s",
    async (compiled) => {
      const w = new Parameter(tensor([4, -3]));
      const rule = optim.lookahead(optim.sgd([w], { learningRate: 0.25 }), { every: 3, alpha: 0.5 });
      const once = () => rule.minimize(w.mul(w).sum().div(2));
      const step = compiled ? compile(once, { state: rule, strict: true }) : once;
      let [p, slow] = [
        [4, -3],
        [4, -3],
      ];
      for (let t = 1; t <= 7; t++) {
        await step();
        p = p.map((x) => f(x - f(x * 0.25)));
        if (t % 3 === 0) {
          slow = slow.map((s, i) => f(s + f(f(p[i] - s) * 0.5)));
          p = slow;
        }
        expect(await w.array()).toEqual(p);
      }
      expect(rule.steps).toBe(7);
      const slot = rule.namedVariables().find(([name]) => name.startsWith("optimizer/slow/"))![1];
      expect(await slot.array()).toEqual(slow);
    },
  );

  test("slow weights begin as what the parameters are at the first step, whatever they were when it was made", async () => {
    const w = new Parameter(tensor([100]));
    const rule = optim.lookahead(optim.sgd([w], { learningRate: 1 }), { every: 1, alpha: 0 });
    w.assign(tensor([2]));
    rule.minimize(w.sum());
    expect(await w.array()).toEqual([2]);
  });

  test("slow weights begin at Lookahead's own first step: around an optimizer that took some, and of a parameter that was frozen then", async () => {
    const [w, frozen] = [new Parameter(tensor([4])), new Parameter(tensor([8]))];
    const own = optim.sgd([w, frozen], { learningRate: 0 });
    const loss = () => w.sum().add(frozen.sum());
    own.minimize(loss());
    const rule = optim.lookahead(own, { every: 2, alpha: 0.5 });
    frozen.requiresGrad = false;
    rule.minimize(loss());
    frozen.requiresGrad = true;
    for (let t = 0; t < 3; t++) rule.minimize(loss());
    expect(await w.array()).toEqual([4]);
    expect(await frozen.array()).toEqual([8]);
  });

  test("a first step that a dynamic loss scale takes back isn't the one at which they begin", async () => {
    const rule = (model: Module) => optim.lookahead(optim.sgd(model.parameters(), { learningRate: 0 }), { every: 4 });
    const precision = {
      lossScalingFactor: "dynamic",
      initialLossScale: 2 ** 127,
      maxLossScale: 2 ** 127,
      logLossScale: true,
    } as const;
    let skipped = 0;
    const watching: Callback = {
      async onTrainStepEnd({ watched }) {
        skipped = await watched.skipped_steps.item();
      },
    };
    const trainer = toyTrainer({
      optimizer: rule,
      precision,
      loss: (outputs, batch) => crossEntropy(outputs, batch).mul(4),
      loop: { numSteps: 4 },
      callbacks: [watching],
    });
    await trainer.initialize();
    const [weight] = trainer.model.parameters();
    const before = await weight.array();
    await trainer.fit(toyTrain());
    expect(skipped).toBe(2);
    expect(await weight.array()).toEqual(before);
  });

  test("one digest on other backends and after a stop and a resume, another than without it", async () => {
    await expectOneDigest((model) => optim.lookahead(plain(model), { every: 3 }));
  });

  test("each of several optimizers may have its own; around several, or another, it is refused", async () => {
    const [a, b] = [new Parameter(tensor([1])), new Parameter(tensor([1]))];
    [a.label, b.label] = ["a", "b"];
    const own = optim.lookahead(optim.sgd([a], { learningRate: 0.5 }), { every: 2 });
    const other = optim.sgd([b], { learningRate: 0.5 });
    const set = new OptimizerSet([own, other].map((each) => ({ optimizer: each, frequency: 1, minimizes: "loss" })));
    const step = compile(() => set.minimize(a.add(b).sum()), { state: set });
    await step();
    await step();
    expect([await a.array(), await b.array()]).toEqual([[0.5], [0]]);
    for (const wrong of [set, own]) {
      expect(() => optim.lookahead(wrong)).toThrow(ConfigError);
      expect(() => optim.lookahead(wrong)).toThrow(/^optim.lookahead: it goes around one optimizer/);
    }
    expect(() => optim.lookahead(other, { alpha: 2 })).toThrow(/optim.lookahead.alpha/);
  });
});
