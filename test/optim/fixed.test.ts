// What an optimizer is made with is fixed: an assignment that no step would heed is an error. What schedules set stays settable.
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import * as optim from "../../src/optim/index.ts";
import { Optimizer } from "../../src/optim/optimizer.ts";
import { compile } from "../../src/program/compiled.ts";
import { Parameter } from "../../src/program/variable.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import * as sg from "../../src/tensor/functions.ts";

beforeAll(() => setDefaultBackend("reference"));

const makers = [
  optim.adadelta,
  optim.adafactor,
  optim.adagrad,
  optim.adam,
  optim.adamW,
  optim.adamax,
  optim.asgd,
  optim.lamb,
  optim.lbfgs,
  optim.lion,
  optim.muon,
  optim.nadam,
  optim.radam,
  optim.rmsprop,
  optim.rprop,
  optim.sgd,
] as readonly ((parameters: readonly Parameter[], options: { learningRate: number }) => Optimizer)[];
type Loose = Record<string, unknown>;
const weight = () => new Parameter(sg.tensor([[1, 2]]));

describe.each(makers.map((make) => [make.name, make] as const))("%s", (_, make) => {
  test("an option, a field that only reads and one that there isn't can't be assigned", () => {
    const optimizer = make([weight()], { learningRate: 0.1 }) as unknown as Loose;
    for (const field of ["betas", "momentum", "learningRate", "lr", "weightDecay", "groups", "parameters", "steps"]) {
      const before = optimizer[field];
      expect(() => {
        optimizer[field] = 0.5;
      }, field).toThrow(ConfigError);
      expect(optimizer[field]).toBe(before);
    }
    expect(() => {
      optimizer.betas = [0.5, 0.5];
    }).toThrow(/betas.*stays as it is.*make a new optimizer/s);
    expect(() => {
      optimizer.learningRate = 1;
    }).toThrow(/group\.learningRate/);
  });

  test("of a group, learning rate and decay are set, in their range; nothing else", () => {
    const [group] = make([weight()], { learningRate: 0.1 }).groups as unknown as Loose[];
    for (const [field, value] of Object.entries({ betas: [0, 0], decays: true, lr: 1, parameters: [], tags: "a" }))
      expect(() => {
        group[field] = value;
      }, field).toThrow(ConfigError);
    expect(() => Reflect.deleteProperty(group, "learningRate")).toThrow(ConfigError);
    for (const bad of [Number.NaN, -1, "0.1", undefined])
      expect(() => {
        group.learningRate = bad;
      }).toThrow(/groups\[0\]\.learningRate/);
    group.learningRate = 0.01;
    group.weightDecay = 0.001;
    expect([group.learningRate, group.weightDecay]).toEqual([0.01, 0.001]);
  });
});

test("a list that options were given in may change afterwards: no step sees it", async () => {
  const run = async (change: boolean) => {
    const w = weight();
    const betas: [number, number] = [0.9, 0.99];
    const optimizer = optim.adam([w], { learningRate: 0.1, betas });
    const step = compile(() => optimizer.minimize(w.mul(w).sum()), { state: optimizer });
    await step();
    if (change) betas[0] = 0.1;
    await step();
    return w.data();
  };
  expect(await run(true)).toEqual(await run(false));
});

test("a rate set between two calls is the next call's", async () => {
  const w = new Parameter(sg.tensor([1]));
  const optimizer = optim.sgd([w], { learningRate: 0.5 });
  const step = compile(() => optimizer.minimize(w.sum()), { state: optimizer });
  await step();
  optimizer.groups[0].learningRate = 0.25;
  await step();
  expect(await w.array()).toEqual([0.25]);
});

test("a field that a class of one's own declares has compiled functions traced anew; one that it doesn't is refused", async () => {
  class Scaled extends Optimizer {
    factor = 1;
    constructor(parameters: readonly Parameter[]) {
      super("scaled", parameters, { slots: () => ({}) }, { learningRate: 1 });
    }
    protected override rule({ parameter, gradient }: optim.Update): optim.Updated {
      return { parameter: parameter.sub(gradient.mul(this.factor)), slots: {} };
    }
  }
  const w = new Parameter(sg.tensor([10]));
  const optimizer = new Scaled([w]);
  const step = compile(() => optimizer.minimize(w.sum()), { state: optimizer });
  await step();
  optimizer.factor = 3;
  await step();
  expect(await w.array()).toEqual([6]);
  expect(() => {
    (optimizer as unknown as Loose).faktor = 2;
  }).toThrow(/scaled\.faktor.*declares its fields/s);
});
