// L-BFGS with a line search: the length that is chosen, problems that a fixed step diverges on, draws and buffers, a Trainer, and what is refused. In every backend's digest: all.test.ts.
import { beforeAll, describe, expect, test } from "vitest";
import { loadBackend } from "../../src/backend/load.ts";
import { ConfigError } from "../../src/core/errors.ts";
import type * as nn from "../../src/nn/index.ts";
import { binaryCrossEntropy } from "../../src/nn/losses.ts";
import * as optim from "../../src/optim/index.ts";
import { type LineSearch, lengthAlong } from "../../src/optim/line-search.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { Parameter, Variable } from "../../src/program/variable.ts";
import { manualSeed, Stream, withStream } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { bernoulli, tensor } from "../../src/tensor/functions.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { expectOneDigest } from "../support/around.ts";
import { toyTrain, toyTrainer } from "../support/toy.ts";

beforeAll(() => {
  manualSeed(0);
  return setDefaultBackend("reference");
});
const kinds = ["armijo", "strong_wolfe"] as const;

describe("the length along a line", () => {
  /** Of f and f′ as functions of the length: what is chosen, and what was tried. */
  async function along(kind: LineSearch, tries: number, f: (t: Tensor) => Tensor, slope: (t: Tensor) => Tensor) {
    const tried: Tensor[] = [];
    const at = (t: Tensor) => {
      tried.push(t);
      return { value: f(t), slope: slope(t) };
    };
    const zero = tensor(0);
    const length = lengthAlong(kind, tries, { value: f(zero), slope: slope(zero) }, at);
    return [await length.item(), await Promise.all(tried.map((t) => t.item()))];
  }
  /** (t − a)². */
  const bowl = (a: number) => [(t: Tensor) => t.sub(a).square(), (t: Tensor) => t.sub(a).mul(2)] as const;

  test("is halved until the loss falls enough; what follows the choice is it again: the work is the same", async () => {
    expect(await along("armijo", 5, ...bowl(0.1))).toEqual([0.125, [1, 0.5, 0.25, 0.125, 0.125]]);
    expect(await along("armijo", 3, ...bowl(9))).toEqual([1, [1, 1, 1]]);
  });

  test("is doubled, and then between two, until the slope is flat enough", async () => {
    expect(await along("strong_wolfe", 6, ...bowl(20))).toEqual([2, [1, 2, 2, 2, 2, 2]]);
    // 1 and 2 are too short, 4 too long, 3 too long.
    const cliff = [
      (t: Tensor) => t.neg().add(t.sub(2.4).maximum(0).mul(40)),
      (t: Tensor) => t.greater(2.4).cast("float32").mul(40).sub(1),
    ] as const;
    expect(await along("strong_wolfe", 5, ...cliff)).toEqual([2, [1, 2, 4, 3, 2.5]]);
    expect(await along("strong_wolfe", 6, ...cliff)).toEqual([2.25, [1, 2, 4, 3, 2.5, 2.25]]);
  });

  test.each(kinds)("where none will do it is the shortest; a loss that is NaN is too long: %s", async (kind) => {
    const up = (t: Tensor) => t.mul(5);
    expect(await along(kind, 3, up, (t) => t.mul(0).sub(1))).toEqual([0.25, [1, 0.5, 0.25]]);
    const root = [
      (t: Tensor) => tensor(0.3).sub(t).sqrt(),
      (t: Tensor) => tensor(0.3).sub(t).sqrt().reciprocal().div(-2),
    ];
    expect((await along(kind, 4, root[0], root[1]))[0]).toBe(0.25);
  });
});

/** A model's loss as a function of its parameters, and where they start. */
const rosenbrock = {
  start: [-1.2, 1],
  loss: (w: Tensor) => {
    const [x, y] = [w.at(0), w.at(1)];
    return x.sub(1).square().add(y.sub(x.square()).square().mul(100));
  },
};
// Eight points that no line through 0 parts, far from 0: the loss is flat at first, and steep where a step went too far.
const inputs = [
  [8, 1],
  [6, -3],
  [-7, 2],
  [-5, -9],
  [1, 8],
  [-2, 6],
  [9, -4],
  [-8, -1],
];
const labels = [1, 1, 0, 0, 1, 0, 0, 1];
const logistic = {
  start: [3, -3],
  loss: (w: Tensor) => binaryCrossEntropy(tensor(inputs).matmul(w), tensor(labels)),
};

async function minimised(
  { start, loss }: typeof rosenbrock,
  options: Partial<optim.LBFGSOptions>,
  steps: number,
  { backend = "reference", compiled = true } = {},
) {
  const w = new Parameter(tensor(start));
  const rule = optim.lbfgs([w], { learningRate: 1, ...options });
  const opened = await loadBackend(backend);
  const once = () => rule.minimize(() => loss(w));
  const step = compiled ? compile(once, { state: rule, strict: true, backend: opened }) : once;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push(await (await step()).item());
  return { w: await w.data(), losses };
}

const last = (list: readonly number[]) => list[list.length - 1];

describe.each(kinds)("%s", (lineSearch) => {
  test("finds Rosenbrock's minimum, and a logistic regression's, where a fixed step has lost it", async () => {
    const banana = await minimised(rosenbrock, { lineSearch }, 40);
    expect(last(banana.losses)).toBeLessThan(1e-9);
    expect(last((await minimised(rosenbrock, {}, 40)).losses)).toBeGreaterThan(0.5);
    const { losses, w } = await minimised(logistic, { lineSearch, lineSearchSteps: 20 }, 25);
    expect(last((await minimised(logistic, {}, 25)).losses)).toBeGreaterThan(100 * losses[0]);
    // Where the gradient is 0: no loss is lower.
    const p = new Parameter(tensor([...w]));
    for (const slope of await gradients(logistic.loss(p), [p])[0].data()) expect(Math.abs(slope)).toBeLessThan(1e-3);
    for (const [i, loss] of [...losses, ...banana.losses].entries())
      if (i > 0 && i !== losses.length) expect(loss, `${i}`).toBeLessThanOrEqual([...losses, ...banana.losses][i - 1]);
  });

  test("one set of bits on every backend, compiled and not", async () => {
    const whole = await minimised(rosenbrock, { lineSearch, lineSearchSteps: 4 }, 12);
    for (const how of [{ compiled: false }, { backend: "wasm" }, { backend: "gpujs:cpu" }])
      expect(await minimised(rosenbrock, { lineSearch, lineSearchSteps: 4 }, 12, how), JSON.stringify(how)).toEqual(
        whole,
      );
  });

  test("in a Trainer, with dropout: one digest on other backends and after a stop and a resume", async () => {
    await expectOneDigest((model) =>
      optim.lbfgs(model.parameters(), { learningRate: 1, historySize: 3, lineSearch, lineSearchSteps: 3 }),
    );
  });

  test("what is maximised, and a decay, are the loss turned round, and a term of it", async () => {
    const bits = async (options: Partial<optim.LBFGSOptions>, of: (loss: Tensor, w: Tensor) => Tensor) =>
      (
        await minimised(
          { start: rosenbrock.start, loss: (w) => of(rosenbrock.loss(w), w) },
          { lineSearch, ...options },
          9,
        )
      ).w;
    const plain = await bits({}, (loss) => loss);
    expect(await bits({ maximize: true }, (loss) => loss.neg())).toEqual(plain);
    const decayed = await bits({ weightDecay: 0.25, decayAll: true }, (loss) => loss);
    expect(await bits({}, (loss, w) => loss.add(w.square().sum().mul(0.25).div(2)))).toEqual(decayed);
    expect(decayed).not.toEqual(plain);
  });
});

test.each([true, false])(
  "each length's loss has the same draws and buffers, which move on as by one pass; compiled: %s",
  async (compiled) => {
    const w = new Parameter(tensor([1, 2, 3, 4]));
    const count = new Variable(tensor(1));
    const rule = optim.lbfgs([w], { learningRate: 1, lineSearch: "strong_wolfe", lineSearchSteps: 4 });
    const stream = new Stream(5n);
    const masks: Tensor[] = [];
    const counts: Tensor[] = [];
    const once = () => {
      masks.length = counts.length = 0;
      rule.minimize(() => {
        const mask = bernoulli([4], 0.5).cast("float32");
        masks.push(mask);
        counts.push(count.mul(1));
        count.assign(count.mul(2));
        return w.mul(mask).square().sum().mul(count);
      });
      return [...masks, ...counts];
    };
    const owner = { namedVariables: () => [["buffer/count", count] as const] };
    const step = compiled
      ? compile(once, { state: [rule, owner], stream, strict: true })
      : () => withStream(stream, once);
    const seen = [];
    for (let i = 0; i < 3; i++) {
      const all = await Promise.all((await step()).map((each) => each.array()));
      const [drawn, counted] = [all.slice(0, 5), all.slice(5)];
      expect(new Set(drawn.map(String)).size).toBe(1);
      expect(counted).toEqual(Array(5).fill(2 ** i));
      seen.push(String(drawn[0]));
    }
    expect(await count.item()).toBe(8);
    expect(stream.position).toBe(3 * 4);
    expect(new Set(seen).size).toBeGreaterThan(1);
  },
);

describe("is refused", () => {
  const w = new Parameter(tensor([1, 2]));
  const searching = (parameters: readonly Parameter[] = [w]) =>
    optim.lbfgs(parameters, { learningRate: 1, lineSearch: "armijo" });

  test("with a loss, or gradients, by themselves", () => {
    const rule = searching();
    for (const wrong of [() => rule.minimize(w.sum()), () => rule.update(gradients(w.sum(), [w]))]) {
      expect(wrong).toThrow(ConfigError);
      expect(wrong).toThrow(
        /^lbfgs: a step evaluates the loss at other weights too.*\nHint: optimizer.minimize\(\(\) =>/,
      );
    }
    expect(rule.steps).toBe(0);
  });

  test("by another name, with no steps, and steps without it", () => {
    const make = (options: object) => () => optim.lbfgs([w], { learningRate: 1, ...options });
    expect(make({ lineSearch: "wolfe" })).toThrow(
      /^lbfgs.lineSearch: it isn't "armijo" or "strong_wolfe": got "wolfe"/,
    );
    expect(make({ lineSearch: "armijo", lineSearchSteps: 0 })).toThrow(/^lbfgs.lineSearchSteps: .*got 0/);
    expect(make({ lineSearchSteps: 5 })).toThrow(/^lbfgs.lineSearchSteps: there is no line search that takes them/);
  });

  test("in SAM, among several, with clipping and under a dynamic loss scale", () => {
    const optimizer = (model: nn.Module) => searching(model.parameters());
    expect(() => optim.sam(searching())).toThrow(/^optim.sam: .*: got LBFGS with a line search/);
    const parts = { optimizers: [{ optimizer, parameters: "*" }], optimizer: undefined };
    expect(() => toyTrainer(parts)).toThrow(/^optimizers\[0\]: .*other weights can't be one of several: got LBFGS/);
    expect(() => toyTrainer({ optimizer, precision: { lossScalingFactor: "dynamic" } })).toThrow(
      /^precision.lossScalingFactor: a dynamic scale .*: got LBFGS/,
    );
    for (const clip of ["maxGradientNorm", "maxGradientValue"])
      expect(() => toyTrainer({ optimizer, precision: { [clip]: 1 } })).toThrow(
        new RegExp(`^precision.${clip}: clipped gradients don't go with a line search.*got 1, and LBFGS`),
      );
  });

  test("not in Lookahead, nor by a fixed loss scale and accumulation", async () => {
    const weights = async (optimizer: (model: nn.Module) => optim.Optimizer, lossScalingFactor: number) => {
      const trainer = toyTrainer({
        optimizer,
        loop: { numSteps: 4, gradAccumSteps: 2 },
        precision: { lossScalingFactor },
      });
      await trainer.fit(toyTrain({ batchSize: 8 }));
      return Promise.all(trainer.model.namedVariables().map(([, variable]) => variable.array()));
    };
    const plain = await weights((model) => searching(model.parameters()), 1);
    expect(await weights((model) => searching(model.parameters()), 4)).toEqual(plain);
    expect(await weights((model) => optim.lookahead(searching(model.parameters()), { every: 9 }), 1)).toEqual(plain);
  });
});
