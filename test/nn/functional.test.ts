// Models under other parameters, frozen ones, tied ones, and modules that hold others.
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import type { TrainerOptions } from "../../src/train/contract.ts";
import { resumed } from "../support/resumed.ts";
import { toyModel, toyOptions, toyTrain, toyTrainer } from "../support/toy.ts";

const { nn, optim, ConfigError, ShapeError } = sg;

beforeAll(() => {
  sg.manualSeed(1);
  return sg.setDefaultBackend("reference");
});

const values = async (model: sg.nn.Module) =>
  Object.fromEntries(
    await Promise.all(model.namedVariables().map(async ([name, each]) => [name, [...(await each.data())]] as const)),
  );

describe("functionalCall", () => {
  test("other parameters, and gradients by them; the model keeps its own", async () => {
    const model = nn.sequential(nn.linear(3, 2), nn.linear(2, 1));
    const before = await values(model);
    const weight = sg.tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const x = sg.tensor([[1, 0, -1]]);
    const y = nn.functionalCall(model, { "0.weight": weight, "0.bias": sg.zeros([2]) }, x);
    const byHand = model.layers[1].forward(sg.linear(x, weight)) as sg.Tensor;
    expect(await y.data()).toEqual(await byHand.data());
    const [gradient] = sg.gradients(y.sum(), [weight]);
    expect(await gradient.data()).toEqual(await sg.gradients(byHand.sum(), [weight])[0].data());
    expect(await values(model)).toEqual(before);
  });

  test("in a compiled function, a batch norm's buffers move, and a tied parameter is replaced in both places", async () => {
    const shared = nn.linear(2, 2, { bias: false });
    const model = nn.sequential(shared, nn.batchNorm1d(2, { affine: false }), shared);
    const run = sg.compile((x: sg.Tensor, w: sg.Tensor) => nn.functionalCall(model, { "0.weight": w }, x), {
      state: model,
    });
    const [x, w] = [sg.normal([4, 2]), sg.normal([2, 2])];
    const y = await run(x, w);
    const normed = sg.batchNormTraining(sg.linear(x, w)).output;
    expect(await y.data()).toEqual(await sg.linear(normed, w).data());
    expect((await values(model))["buffer/1.runningMean"]).not.toEqual([0, 0]);
  });

  test.each<[string, () => unknown, new (details: never) => Error, RegExp]>([
    [
      "no such path",
      () => nn.functionalCall(nn.linear(2, 2), { wight: sg.ones([2, 2]) }, sg.ones([1, 2])),
      ConfigError,
      /^nn.functionalCall.parameters.wight: unknown key.*\nHint: did you mean weight/,
    ],
    [
      "another shape",
      () => nn.functionalCall(nn.linear(2, 2), { weight: sg.ones([2, 3]) }, sg.ones([1, 2])),
      ShapeError,
      /^nn.functionalCall.parameters.weight: another shape than the variable's: got float32\[2, 3\], expected float32\[2, 2\]/,
    ],
    [
      "a glob of nothing",
      () => nn.freeze(nn.linear(2, 2), "encoder.*"),
      ConfigError,
      /^nn.freeze: a glob that matches/,
    ],
    [
      "an empty glob",
      () => nn.freeze(nn.linear(2, 2), ""),
      ConfigError,
      /: got "", expected one for some of weight, bias/,
    ],
    ["a list's forward", () => nn.moduleList([nn.relu()]).forward(), ConfigError, /use nn.sequential/],
    ["a record's forward", () => nn.moduleDict({ a: nn.relu() }).forward(), ConfigError, /doesn't say in which order/],
    ["out of a list", () => nn.moduleList([nn.relu()]).at(1), ConfigError, /^nn.ModuleList.at: no such module: got 1/],
    [
      "not in a record",
      () => nn.moduleDict({ a: nn.relu() }).get("b" as "a"),
      ConfigError,
      /^nn.ModuleDict.get: no such module: got b, expected one of a/,
    ],
  ])("%s", (_, body, kind, message) => {
    expect(body).toThrow(kind);
    expect(body).toThrow(message);
  });
});

describe("freezing", () => {
  const frozen = (globs: readonly string[]): Partial<TrainerOptions> => ({
    model: () => nn.freeze(toyModel(), ...globs),
  });

  test("a frozen parameter keeps its value, stays in state and digest, and the graph is another; resumed the same", async () => {
    const whole = await toyTrainer().fit(toyTrain());
    const trainer = toyTrainer(frozen(["0.*"]));
    await trainer.initialize();
    const before = await values(trainer.model);
    const run = await trainer.fit(toyTrain());
    const after = await values(trainer.model);
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const name of Object.keys(after))
      expect(JSON.stringify(after[name]) === JSON.stringify(before[name]), name).toBe(name.startsWith("parameter/0."));
    expect(run.graphHash).not.toBe(whole.graphHash);
    expect(run.digest).not.toBe(whole.digest);
    const [once, again] = await resumed(toyOptions(frozen(["0.*"])), toyTrain);
    expect(again).toBe(once);
  });

  test.each([true, false])(
    "an optimizer that has it already leaves it alone, and steps it again; compiled: %s",
    async (compiled) => {
      sg.manualSeed(3);
      const model = nn.sequential(nn.linear(2, 3), nn.linear(3, 1));
      const optimizer = optim.adamW(model.parameters(), { learningRate: 0.1, weightDecay: 0.1 });
      const step = (x: sg.Tensor) => {
        const loss = model.forward(x).abs().mean();
        optimizer.minimize(loss);
        return loss;
      };
      const run = compiled ? sg.compile(step, { state: [model, optimizer] }) : async (x: sg.Tensor) => step(x);
      const x = sg.normal([4, 2]);
      const moved = async () => {
        const before = await values(model);
        await (await run(x)).item();
        const after = await values(model);
        return Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]));
      };
      const all = ["parameter/0.bias", "parameter/0.weight", "parameter/1.bias", "parameter/1.weight"];
      expect(await moved()).toEqual(all);
      nn.freeze(model, "0.*");
      expect(optimizer.parameterNames).toEqual(["1.weight", "1.bias"]);
      expect(await moved()).toEqual(all.slice(2));
      nn.unfreeze(model);
      expect(await moved()).toEqual(all);
    },
  );
});

describe("modules that hold others", () => {
  class Tied extends nn.Module<sg.Tensor> {
    readonly token = nn.embedding(5, 4);
    readonly head = nn.linear(4, 5, { bias: false });
    constructor() {
      super();
      Object.assign(this.head, { weight: this.token.weight });
    }
    override forward(x: sg.Tensor) {
      return this.head.forward(this.token.forward(x));
    }
  }

  test("a tied weight is named once, saved once and stepped once, by the sum of its gradients", async () => {
    sg.manualSeed(2);
    const model = new Tied();
    expect(model.namedVariables().map(([name]) => name)).toEqual(["parameter/token.weight"]);
    const optimizer = optim.sgd(model.parameters(), { learningRate: 1 });
    expect(optimizer.parameterNames).toEqual(["token.weight"]);
    const table = sg.tensor(await model.token.weight.data(), [5, 4]);
    const x = sg.tensor([1, 3], "int32");
    const weights = sg.normal([2, 5]);
    const loss = sg.linear(sg.take(table, x), table).mul(weights).sum();
    const expected = table.sub(sg.gradients(loss, [table])[0]);
    optimizer.minimize(model.forward(x).mul(weights).sum());
    expect(await model.token.weight.data()).toEqual(await expected.data());
  });

  test("lists, records and plain ones name their modules alike, and one that is held in two places once", () => {
    class Holder extends nn.Module<sg.Tensor> {
      readonly list = nn.moduleList([nn.linear(1, 1, { bias: false }), nn.relu()]);
      readonly dict = nn.moduleDict({ a: nn.linear(1, 1, { bias: false }) });
      readonly plain = { b: nn.linear(1, 1, { bias: false }) };
      readonly again = this.list.at(-2);
      override forward(x: sg.Tensor) {
        return this.dict.get("a").forward(this.list.at(0).forward(x));
      }
    }
    const model = new Holder();
    expect(model.parameters().map(({ label }) => label)).toEqual(["list.0.weight", "dict.a.weight", "plain.b.weight"]);
    expect([...model.list].length).toBe(model.list.length);
    model.eval();
    expect([model.list.at(1).training, model.plain.b.training]).toEqual([false, false]);
  });

  test("identity and lambda", async () => {
    const x = sg.tensor([1, -2]);
    const model = nn.sequential(
      nn.identity(),
      nn.lambda((t) => t.mul(t)),
    );
    expect(await model.forward(x).array()).toEqual([1, 4]);
  });
});
