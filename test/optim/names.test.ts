// What a compiled function's state is called where optimizers are over parts of one model: by the whole model's paths, as a Trainer's is.
import { beforeAll, describe, expect, test } from "vitest";
import { TraceError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import * as optim from "../../src/optim/index.ts";
import { compile } from "../../src/program/compiled.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { ones } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => setDefaultBackend("reference"));

class Pair extends nn.Module {
  readonly g = nn.sequential(nn.linear(2, 2));
  readonly d = nn.sequential(nn.linear(2, 1));
  forward(x: Tensor): Tensor {
    return this.d.forward(this.g.forward(x) as Tensor) as Tensor;
  }
}

/** One step of two optimizers on one loss; `parametersOf`: of a part of the model. */
function setting(parametersOf: (model: Pair, part: "g" | "d") => ReturnType<nn.Module["parameters"]>) {
  manualSeed(3);
  const model = new Pair();
  const g = optim.lookahead(optim.adam(parametersOf(model, "g"), { learningRate: 0.1 }));
  const d = optim.sgd(parametersOf(model, "d"), { learningRate: 0.1, momentum: 0.9 });
  const both = () => {
    const loss = model
      .forward(ones([3, 2]))
      .square()
      .mean();
    g.minimize(loss);
    d.minimize(
      model
        .forward(ones([3, 2]))
        .square()
        .mean(),
    );
    return loss;
  };
  return { model, g, d, both };
}

describe("compile({ state: [model, g, d] })", () => {
  test("names what the optimizers keep by the whole model, whichever module gave the parameters", async () => {
    const apart = setting((model, part) => model[part].parameters());
    const whole = setting((model, part) => model.parameters().filter(({ label }) => label!.startsWith(`${part}.`)));
    const graphs = [];
    for (const { model, g, d, both } of [apart, whole]) {
      const step = compile(both, { state: [model, g, d], name: "step" });
      graphs.push(await step.trace());
      await step();
      await step();
    }
    const [names, same] = graphs.map(({ inputs }) => inputs.map(({ name }) => name));
    expect(names).toEqual(same);
    expect(names).toEqual(
      expect.arrayContaining([
        "parameter/d.0.weight",
        "parameter/g.0.weight",
        "optimizer/m/g.0.weight",
        "optimizer/slow/g.0.bias",
        "optimizer/momentum/d.0.bias",
      ]),
    );
    expect(new Set(names).size).toBe(names.length);
    const weights = ({ model }: typeof apart) => Promise.all(model.parameters().map((each) => each.array()));
    expect(await weights(apart)).toEqual(await weights(whole));
  });

  test("without the model that both are parts of, the error says what to list", async () => {
    const { model, g, d, both } = setting((whole, part) => whole[part].parameters());
    for (const state of [
      [model.g, model.d, g, d],
      [g, d, model],
    ]) {
      const step = compile(both, { state });
      await expect(step()).rejects.toThrow(TraceError);
      await expect(step()).rejects.toThrow(
        /two variables have one name.*\nHint: .*moduleDict.* list it before its optimizers/,
      );
    }
  });
});
