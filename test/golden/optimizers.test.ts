// Five steps of each optimizer against PyTorch's, or against the paper's formula in float64 where PyTorch has none, from the committed
// optimizers.json (made by make_optimizers.py). |ours − theirs| ≤ 2·10⁻⁶ + 10⁻⁵·|theirs|: both round, each in an order of its own.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { sha256, toHex } from "../../src/core/canonical.ts";
import { compile, optim, Parameter, Tensor } from "../../src/index.ts";
import { wave } from "../support/torch.ts";

type Values = Record<"w" | "b", number[]>;
const golden: { cases: Record<string, Values>; convex: Record<string, Values> } = JSON.parse(
  readFileSync(new URL("optimizers.json", import.meta.url), "utf8"),
);

const makers: Record<string, (p: Parameter[]) => optim.Optimizer> = {
  "sgd dampening": (p) => optim.sgd(p, { learningRate: 0.05, momentum: 0.9, dampening: 0.2 }),
  "sgd maximize": (p) => optim.sgd(p, { learningRate: 0.05, momentum: 0.9, weightDecay: 0.1, maximize: true }),
  "adam amsgrad": (p) => optim.adam(p, { learningRate: 0.02, weightDecay: 0.1, amsgrad: true }),
  "adamW amsgrad maximize": (p) =>
    optim.adamW(p, { learningRate: 0.02, weightDecay: 0.1, amsgrad: true, maximize: true }),
  adagrad: (p) => optim.adagrad(p, { learningRate: 0.1 }),
  "adagrad all": (p) =>
    optim.adagrad(p, { learningRate: 0.1, learningRateDecay: 0.05, initialAccumulatorValue: 0.2, weightDecay: 0.1 }),
  adadelta: (p) => optim.adadelta(p, { learningRate: 1 }),
  "adadelta all": (p) => optim.adadelta(p, { learningRate: 0.5, rho: 0.8, epsilon: 1e-5, weightDecay: 0.1 }),
  adamax: (p) => optim.adamax(p, { learningRate: 0.02 }),
  "adamax all": (p) => optim.adamax(p, { learningRate: 0.02, betas: [0.8, 0.98], weightDecay: 0.1 }),
  nadam: (p) => optim.nadam(p, { learningRate: 0.02 }),
  "nadam all": (p) =>
    optim.nadam(p, { learningRate: 0.02, betas: [0.8, 0.98], momentumDecay: 0.1, weightDecay: 0.1 }),
  radam: (p) => optim.radam(p, { learningRate: 0.02 }),
  "radam rectified": (p) => optim.radam(p, { learningRate: 0.02, betas: [0.8, 0.9], weightDecay: 0.1 }),
  rmsprop: (p) => optim.rmsprop(p, { learningRate: 0.01 }),
  "rmsprop all": (p) =>
    optim.rmsprop(p, { learningRate: 0.01, alpha: 0.9, momentum: 0.9, centered: true, weightDecay: 0.1 }),
  rprop: (p) => optim.rprop(p, { learningRate: 0.02 }),
  "rprop all": (p) => optim.rprop(p, { learningRate: 0.02, etas: [0.4, 1.5], stepSizes: [0.01, 0.03] }),
  asgd: (p) => optim.asgd(p, { learningRate: 0.05 }),
  "asgd all": (p) => optim.asgd(p, { learningRate: 0.05, lambda: 0.01, alpha: 0.6, t0: 2, weightDecay: 0.1 }),
  lamb: (p) => optim.lamb(p, { learningRate: 0.02 }),
  "lamb all": (p) => optim.lamb(p, { learningRate: 0.02, betas: [0.8, 0.98], weightDecay: 0.1 }),
  lion: (p) => optim.lion(p, { learningRate: 0.01 }),
  "lion all": (p) => optim.lion(p, { learningRate: 0.01, betas: [0.8, 0.95], weightDecay: 0.1 }),
  adafactor: (p) => optim.adafactor(p, { learningRate: 0.02 }),
  "adafactor all": (p) =>
    optim.adafactor(p, { learningRate: 0.5, weightDecay: 0.1, beta1: 0.9, relativeStep: true, clipThreshold: 0.7 }),
  "adafactor unscaled": (p) => optim.adafactor(p, { learningRate: 0.02, scaleParameter: false }),
  muon: (p) => optim.muon(p, { learningRate: 0.02 }),
  "muon all": (p) =>
    optim.muon(p, { learningRate: 0.02, momentum: 0.9, nesterov: false, weightDecay: 0.1, adjust: "match_rms_adamw" }),
};

test("every golden has its case", () => {
  expect(Object.keys(makers).sort()).toEqual(Object.keys(golden.cases).sort());
});

/** Both parameters after each optimizer's five steps. */
const ends = new Map<string, Float32Array[]>();

describe("five steps, compiled, of", () => {
  test.each(Object.keys(makers))("%s", async (name) => {
    const [w, b] = [new Parameter(wave([6, 9], 1, 3)), new Parameter(wave([9], 1, 5))];
    [w.label, b.label] = ["w", "b"];
    const rule = makers[name]([w, b]);
    const step = compile(
      (waves: { w: Tensor; b: Tensor }) => {
        rule.update([waves.w.add(w.mul(0.3)), waves.b.add(b.mul(0.3))]);
        return [];
      },
      { state: rule, strict: true },
    );
    for (let t = 1; t <= 5; t++) await step({ w: wave([6, 9], 2, 40 + 17 * t), b: wave([9], 2, 40 + 17 * t) });
    ends.set(name, [(await w.data()) as Float32Array, (await b.data()) as Float32Array]);
    for (const [key, parameter] of Object.entries({ w, b }) as ["w" | "b", Parameter][]) {
      const ours = await parameter.data();
      const theirs = golden.cases[name][key];
      expect(ours.length).toBe(theirs.length);
      ours.forEach((value, i) => {
        const bound = 2e-6 + 1e-5 * Math.abs(theirs[i]);
        expect(Math.abs(value - theirs[i]), `${key}[${i}]: ours ${value}, theirs ${theirs[i]}`).toBeLessThanOrEqual(bound);
      });
    }
  });
});

// The direction divides by differences of gradients: |ours − theirs| ≤ 5·10⁻⁶ there, of numbers about 1, theirs in float64.
describe("a convex problem, compiled, by", () => {
  const convex: Record<string, [steps: number, make: (p: Parameter[]) => optim.Optimizer]> = {
    lbfgs: [5, (p) => optim.lbfgs(p, { learningRate: 1 })],
    "lbfgs history": [9, (p) => optim.lbfgs(p, { learningRate: 0.7, historySize: 3 })],
  };
  test("every golden has its case", () => expect(Object.keys(convex)).toEqual(Object.keys(golden.convex)));

  test.each(Object.keys(convex))("%s", async (name) => {
    const [steps, make] = convex[name];
    const parameters = [new Parameter(wave([6, 9], 1, 3)), new Parameter(wave([9], 1, 5))];
    const rule = make(parameters);
    const step = compile(
      () => {
        const total = parameters.map((p) => p.sum()).reduce((a, b) => a.add(b));
        const parts = parameters.map((p) =>
          wave(p.shape, 1.5, 7).add(1).mul(p.sub(wave(p.shape, 2, 11)).square()).sum().div(2),
        );
        rule.minimize(parts.reduce((a, b) => a.add(b), total.square().div(40)));
        return [];
      },
      { state: rule, strict: true },
    );
    for (let i = 0; i < steps; i++) await step();
    for (const [i, theirs] of Object.values(golden.convex[name]).entries()) {
      const ours = await parameters[i].data();
      expect(ours.length).toBe(theirs.length);
      theirs.forEach((value, k) => expect(Math.abs(ours[k] - value), `${i} ${k}`).toBeLessThanOrEqual(5e-6));
    }
  });
});

// Golden: a hash of the bits of all of the above. An optimizer's formula is part of the numerics id: its bits may change only with it.
test("the bits of all optimizers are those of the numerics id", () => {
  expect([...ends.keys()]).toEqual(Object.keys(makers));
  const values = [...ends.values()].flat().flatMap((data) => [...data]);
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => bytes.setFloat32(4 * i, value, true));
  expect(toHex(sha256(new Uint8Array(bytes.buffer)))).toBe("41a6648b18cd4a6367837df0bcf09cf02e567a391ed5f89a337bfbe3430e8c2c");
});
