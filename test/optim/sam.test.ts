// SAM around an optimizer: in a Trainer with draws, buffers, accumulation, clipping and a resume; what it is refused with. Its numbers: test/golden/sam.test.ts.
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { OptimizerSet } from "../../src/optim/set.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { watch } from "../../src/program/trace.ts";
import { Parameter, rehearsing, Variable } from "../../src/program/variable.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { bernoulli, tensor } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { expectOneDigest, plain } from "../support/around.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

beforeAll(() => setDefaultBackend("reference"));
const optimizer = (model: nn.Module) => optim.sam(plain(model), { rho: 0.1 });

describe("in a Trainer", () => {
  test("one digest on other backends and after a stop amid an epoch and a resume, another than without it", async () => {
    await expectOneDigest(optimizer);
  });

  test("without a way to go it is the optimizer by itself, to the bit, whatever is accumulated, scaled and clipped", async () => {
    const settings = {
      model: () => nn.sequential(nn.linear(4, 8), nn.batchNorm1d(8), nn.relu(), nn.linear(8, 2)),
      loop: { numSteps: 6, gradAccumSteps: 3 },
      precision: { maxGradientNorm: 0.1, lossScalingFactor: 4 },
    };
    const weights = async (made: NonNullable<TrainerOptions["optimizer"]>) => {
      const trainer = toyTrainer({ ...settings, optimizer: made });
      await trainer.fit(toyTrain({ batchSize: 8 }));
      return Promise.all(trainer.model.namedVariables().map(([, variable]) => variable.array()));
    };
    const plain = await weights((model) => optim.sgd(model.parameters(), { learningRate: 0.1 }));
    const still = await weights((model) => optim.sam(optim.sgd(model.parameters(), { learningRate: 0.1 }), { rho: 0 }));
    const moved = await weights((model) => optim.sam(optim.sgd(model.parameters(), { learningRate: 0.1 }), { rho: 1 }));
    expect(still).toEqual(plain);
    expect(moved).not.toEqual(plain);
  });

  test("a dynamic loss scale, and a place among several, are refused", () => {
    expect(() => toyTrainer({ optimizer, precision: { lossScalingFactor: "dynamic" } })).toThrow(
      /^precision.lossScalingFactor: a dynamic scale .*: got SAM/,
    );
    const parts = { optimizers: [{ optimizer, parameters: "*" }], optimizer: undefined };
    expect(() => toyTrainer(parts)).toThrow(
      /^optimizers\[0\]: an optimizer that evaluates the loss at other weights .*: got SAM/,
    );
  });
});

describe("in a loop of one's own", () => {
  const make = (value: number[]) => {
    const w = new Parameter(tensor(value));
    return { w, inner: optim.sgd([w], { learningRate: 0.5 }) };
  };

  test("the second pass draws anew; the value is the first's", async () => {
    const { w, inner } = make([1, 1, 1, 1]);
    const rule = optim.sam(inner, { rho: 0 });
    const masks: Tensor[] = [];
    const value = withStream(new Stream(5n), () =>
      rule.minimize(() => {
        masks.push(bernoulli([4], 0.5).cast("float32"));
        return w.mul(masks.at(-1)!).sum();
      }),
    );
    const [first, second] = (await Promise.all(masks.map((mask) => mask.array()))) as number[][];
    expect(second).not.toEqual(first);
    expect(await value.item()).toBe(first.reduce((a, b) => a + b));
    expect(await w.array()).toEqual(second.map((kept) => 1 - kept / 2));
  });

  test.each([true, false])("buffers, and what is watched, are the first pass's; compiled: %s", async (compiled) => {
    const { w, inner } = make([8]);
    const seen = new Variable(tensor([0]));
    const rule = optim.sam(inner, { rho: 1 });
    const once = () =>
      rule.minimize(() => {
        seen.assign(seen.add(w));
        watch("weight", w.sum());
        return w.mul(w).sum().div(4);
      });
    const owner = { namedVariables: () => [["buffer/seen", seen] as const] };
    const step = compiled ? compile(once, { state: [rule, owner], strict: true }) : undefined;
    let [p, sum] = [8, 0];
    for (let t = 1; t <= 3; t++) {
      if (step) expect(await (await step.execute([])).watched.weight.item()).toBe(p);
      else once();
      sum += p;
      p = p - (p + 1) / 4;
      expect([await w.array(), await seen.array()]).toEqual([[p], [sum]]);
    }
  });

  test("of what is maximised the neighbour is the lower one", async () => {
    const w = new Parameter(tensor([4]));
    const rule = optim.sam(optim.sgd([w], { learningRate: 0.5, maximize: true }), { rho: 1 });
    rule.minimize(() => w.mul(w).sum());
    expect(await w.array()).toEqual([7]);
  });

  test("it goes around Lookahead, and Lookahead around it; not around several or itself", async () => {
    const ends = [];
    for (const nest of [
      (inner: optim.Optimizer) => optim.sam(optim.lookahead(inner, { every: 2 }), { rho: 1 }),
      (inner: optim.Optimizer) => optim.lookahead(optim.sam(inner, { rho: 1 }), { every: 2 }),
    ]) {
      const { w, inner } = make([8, -4]);
      const rule = nest(inner);
      const step = compile(() => rule.minimize(() => w.mul(w).sum().div(4)), { state: rule });
      for (let t = 0; t < 3; t++) await step();
      ends.push(await w.array());
      expect(rule.steps).toBe(3);
      expect(() => optim.sam(rule)).toThrow(/^optim.sam: it goes around one optimizer: got another SAM/);
      expect(() => optim.lookahead(rule)).toThrow(/^optim.lookahead: .*: got another Lookahead/);
    }
    expect(ends[0]).toEqual(ends[1]);
    const set = new OptimizerSet([{ optimizer: make([1]).inner, frequency: 1, minimizes: "loss" }]);
    expect(() => optim.sam(set)).toThrow(/^optim.sam: it goes around one optimizer: got several/);
    expect(() => optim.sam(make([1]).inner, { rho: -1 })).toThrow(/^optim.sam.rho/);
  });

  test("a loss alone, or gradients at one place, are refused", () => {
    const { w, inner } = make([1]);
    const rule = optim.sam(inner);
    for (const wrong of [() => rule.minimize(w.sum()), () => rule.update(gradients(w.sum(), [w]))]) {
      expect(wrong).toThrow(ConfigError);
      expect(wrong).toThrow(
        /^optim.sam: a step evaluates the loss at other weights too.*\nHint: optimizer.minimize\(\(\) =>/,
      );
    }
    expect(rule.steps).toBe(0);
  });

  test("any optimizer takes a function: it is called once, and its value is given back", async () => {
    const { w, inner } = make([3]);
    let calls = 0;
    const value = inner.minimize(() => {
      calls++;
      return w.mul(w).sum();
    });
    expect([calls, await value.item(), await w.array()]).toEqual([1, 9, [0]]);
  });
});

test("a rehearsal that throws leaves variables as they were", async () => {
  const cell = new Variable(tensor([1]));
  const body = () => {
    cell.assign(tensor([2]));
    throw new Error("stop");
  };
  expect(() => rehearsing(body)).toThrow("stop");
  expect(await cell.array()).toEqual([1]);
});
