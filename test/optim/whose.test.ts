// Whose a gradient is: each parameter gets its own, in whatever order, or an error says which isn't where it belongs. And who counts steps.
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { clipByGlobalNorm, clipByValue } from "../../src/optim/clip.ts";
import * as optim from "../../src/optim/index.ts";
import { gradients } from "../../src/program/gradients.ts";
import { Parameter } from "../../src/program/variable.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import * as sg from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => setDefaultBackend("reference"));

/** Two parameters of one shape whose paths' order isn't the order in which they are assigned. */
class Pair extends nn.Module {
  readonly b = new Parameter(sg.tensor([1, 2]));
  readonly a = new Parameter(sg.tensor([3, 4]));
  forward(x: Tensor): Tensor {
    return x.mul(this.b).add(x.mul(this.a).mul(10));
  }
}

const setting = () => {
  manualSeed(1);
  const model = new Pair();
  const optimizer = optim.sgd(model.parameters(), { learningRate: 1 });
  const loss = model.forward(sg.tensor([1, 1])).sum();
  return { model, optimizer, loss };
};
/** After a step: b − 1, a − 10. */
const stepped = [
  [0, 1],
  [-7, -6],
];
const read = async ({ a, b }: Pair) => [await b.array(), await a.array()];

describe("each parameter gets its own gradient", () => {
  test("from minimize, from the optimizer's order, the model's, and that of paths", async () => {
    const one = setting();
    one.optimizer.minimize(one.loss);
    expect(await read(one.model)).toEqual(stepped);
    for (const order of ["optimizer", "model", "paths", "backwards"] as const) {
      const { model, optimizer, loss } = setting();
      const wanted = {
        optimizer: optimizer.parameters,
        model: model.parameters(),
        paths: optimizer.namedParameters.map(([, parameter]) => parameter),
        backwards: [...model.parameters()].reverse(),
      }[order];
      optimizer.update(gradients(loss, wanted));
      expect(await read(model)).toEqual(stepped);
    }
  });

  test("clipped too; and what was made of gradients otherwise is in the order of the parameters", async () => {
    const reversed = ({ model, loss }: ReturnType<typeof setting>) =>
      gradients(loss, [...model.parameters()].reverse());
    const clipped = setting();
    clipped.optimizer.update(clipByValue(reversed(clipped), 100));
    expect(await read(clipped.model)).toEqual(stepped);
    const normed = setting();
    normed.optimizer.update(clipByGlobalNorm(reversed(normed), 100).gradients);
    expect(await read(normed.model)).toEqual(stepped);
    const made = setting();
    made.optimizer.update(gradients(made.loss, made.model.parameters()).map((gradient) => gradient.mul(1)));
    expect(await read(made.model)).toEqual(stepped);
    const told = setting();
    const backwards = [...told.model.parameters()].reverse();
    told.optimizer.update(
      gradients(told.loss, backwards).map((gradient) => gradient.mul(1)),
      backwards,
    );
    expect(await read(told.model)).toEqual(stepped);
  });

  test("unlabelled parameters, more than ten of one shape, keep the order given", async () => {
    const parameters = Array.from({ length: 12 }, (_, i) => new Parameter(sg.tensor([i])));
    const optimizer = optim.sgd(parameters, { learningRate: 1 });
    const loss = parameters.map((parameter, i) => parameter.mul(i).sum()).reduce((a, b) => a.add(b));
    optimizer.update(gradients(loss, parameters).map((gradient) => gradient.mul(1)));
    expect(await Promise.all(parameters.map((parameter) => parameter.item()))).toEqual(parameters.map(() => 0));
  });

  test("a gradient where it doesn't belong is refused", () => {
    const { model, optimizer, loss } = setting();
    const [b, a] = gradients(loss, model.parameters());
    expect(() => optimizer.update([b])).toThrow(ShapeError);
    expect(() => optimizer.update([b, b])).toThrow(/two gradients of one parameter: got b/);
    expect(() => optimizer.update([a, b.mul(1)])).toThrow(/gradient 0 is another parameter's: got a, expected b/);
    const other = sg.tensor([1, 2]);
    expect(() => optimizer.update([b, gradients(other.sum(), [other])[0]])).toThrow(/of nothing that is optimised/);
    expect(() => optimizer.update([b.mul(1), sg.tensor([1])])).toThrow(/of another shape/);
    expect(optimizer.steps).toBe(0);
  });
});

test("steps are counted by update alone; seek goes to a saved number of them", () => {
  const { optimizer, loss } = setting();
  optimizer.minimize(loss);
  expect(optimizer.steps).toBe(1);
  const loose = optimizer as unknown as { steps: number };
  expect(() => loose.steps++).toThrow(ConfigError);
  expect(() => {
    loose.steps = 5;
  }).toThrow(/optimizer\.seek/);
  expect(optimizer.steps).toBe(1);
  optimizer.seek(100);
  expect(optimizer.steps).toBe(100);
  for (const bad of [-1, 0.5, Number.NaN, "3"])
    expect(() => optimizer.seek(bad as number)).toThrow(/a number of steps/);
});
