// Checkpointed functions in whole steps: the bits of training without them, draws included, and what they leave out of memory.
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { plainSchedule } from "../support/arena.ts";

type T = sg.Tensor;
beforeAll(() => sg.setDefaultBackend("reference"));

const text = (rows: number, columns: number) =>
  sg.tensor(
    Int32Array.from({ length: rows * columns }, (_, i) => (i * i + 3 * i) % 11),
    { shape: [rows, columns] },
  );

/** A GPT's training step, with its weights after three of them and the bytes of its arena. */
async function trainGpt(recompute: boolean, layers = 2) {
  sg.manualSeed(4);
  const model = sg.nn.gpt({ vocabulary: 11, context: 8, width: 8, heads: 2, layers, dropout: 0.1, recompute });
  const optimizer = sg.optim.adamW(model.parameters(), { learningRate: 0.01 });
  const step = sg.compile(
    (tokens: T) => {
      const loss = sg.losses.crossEntropy(model.forward(tokens), tokens);
      optimizer.minimize(loss);
      return loss;
    },
    { state: [model, optimizer], strict: false },
  );
  const tokens = text(layers === 2 ? 2 : 8, 8);
  const losses: number[] = [];
  if (layers === 2) for (let i = 0; i < 3; i++) losses.push(await (await step(tokens)).item());
  const { arenaBytes, plan } = plainSchedule(await step.plan(tokens));
  const draws = plan.draws;
  const weights = await Promise.all(
    (layers === 2 ? model.parameters() : []).map(async (each) => [...(await each.data())]),
  );
  return { losses, weights, arenaBytes, draws, hash: plan.graphHash };
}

/** A deep MLP's gradients, in segments of `each` layers, and the bytes of its arena. */
async function deepMlp(each: number) {
  sg.manualSeed(2);
  const layers = Array.from({ length: 24 }, () => sg.nn.linear(16, 16));
  const state = sg.nn.sequential(...layers);
  const parameters = layers.flatMap((layer) => layer.parameters());
  const through = (x: T, part: typeof layers) => part.reduce((y, layer) => layer.forward(y).tanh(), x);
  const step = sg.compile(
    (x: T) => {
      let y = x;
      for (let i = 0; i < layers.length; i += each || layers.length) {
        const part = layers.slice(i, i + (each || layers.length));
        y = each ? sg.checkpoint((input: T) => through(input, part))(y) : through(y, part);
      }
      return sg.gradients(y.mul(y).mean(), parameters);
    },
    { state: [state] },
  );
  const x = sg.normal([64, 16]);
  const gradients = await Promise.all((await step(x)).map(async (gradient) => [...(await gradient.data())]));
  return { gradients, arenaBytes: plainSchedule(await step.plan(x)).arenaBytes };
}

describe("checkpoint", () => {
  test("a GPT trains to the same bits with its blocks computed again, dropout and all", async () => {
    const [plain, again] = [await trainGpt(false), await trainGpt(true)];
    expect(again.losses).toEqual(plain.losses);
    expect(again.weights).toEqual(plain.weights);
    expect(again.draws).toBe(plain.draws);
    expect(again.hash).not.toBe(plain.hash);
  });

  test("of six blocks the activations of about one are in memory", async () => {
    const [plain, again] = [await trainGpt(false, 6), await trainGpt(true, 6)];
    expect(again.arenaBytes / plain.arenaBytes).toBeLessThan(0.4);
  });

  test("24 layers in segments of 5: the same bits in less than half the memory", async () => {
    const [plain, again] = [await deepMlp(0), await deepMlp(5)];
    expect(again.gradients).toEqual(plain.gradients);
    expect(again.arenaBytes / plain.arenaBytes).toBeLessThan(0.5);
  });

  test("nested, eager, differentiated twice", async () => {
    const x = sg.tensor([0.3, -1, 2]);
    const inner = sg.checkpoint((a: T) => a.mul(a).tanh());
    const outer = sg.checkpoint((a: T) => inner(a.exp()).mul(a));
    const plain = (a: T) => a.exp().mul(a.exp()).tanh().mul(a);
    const nested = (a: T) => {
      const e = a.exp();
      return e.mul(e).tanh().mul(a);
    };
    const bits = async (t: T) => [...(await t.data())];
    expect(await bits(sg.grad((a: T) => outer(a).sum())(x))).toEqual(await bits(sg.grad((a: T) => nested(a).sum())(x)));
    const twice = (f: (a: T) => T) =>
      sg.grad((a: T) =>
        sg
          .grad((b: T) => f(b).sum())(a)
          .sum(),
      )(x);
    const [first, second] = [await bits(twice(outer)), await bits(twice(plain))];
    first.forEach((value, i) => {
      expect(Math.abs(value - second[i])).toBeLessThan(1e-5);
    });
  });

  test("differentiated twice by one of its results, which another is made of", async () => {
    const f = (a: T) => {
      const h = a.mul(2);
      return [h, h.sin()] as const;
    };
    const twice = async (g: typeof f, first: "result" | "argument") => {
      const x = sg.tensor([0.5, 1.5]);
      const [h, y] = g(x);
      const [by] = sg.gradients(y.mul(h).exp().sum(), [first === "result" ? h : x]);
      return [...(await sg.gradients(by.sum(), [h])[0].data())];
    };
    for (const first of ["result", "argument"] as const) {
      const [plain, again] = [await twice(f, first), await twice(sg.checkpoint(f), first)];
      again.forEach((value, i) => {
        expect(Math.abs(value - plain[i])).toBeLessThan(1e-5);
      });
    }
  });

  test("on a batch, per-sample gradients included", async () => {
    const x = sg.normal([4, 3]);
    const f = (a: T) => a.exp().tanh().sum();
    const bits = async (t: T) => [...(await t.data())];
    expect(await bits(sg.vmap(sg.grad(sg.checkpoint(f)))(x))).toEqual(await bits(sg.vmap(sg.grad(f))(x)));
    const whole = (g: (a: T) => T) => sg.grad((a: T) => sg.vmap(g)(a).sum())(x);
    expect(await bits(whole(sg.checkpoint(f)))).toEqual(await bits(whole(f)));
  });

  test("a function that gives no tensor is refused", () => {
    expect(() => sg.checkpoint((() => 3) as never)(sg.ones([1]))).toThrow(
      /checkpoint: the function gives no tensor: got 3/,
    );
  });
});
