// Schedules against values computed independently, in schedules.json (made by make_schedules.py): PyTorch's schedulers, or Python's math. Float64 on
// both sides; |ours − theirs| ≤ 10⁻¹², since PyTorch multiplies from step to step what is a closed form here.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sha256, toHex } from "../../src/core/canonical.ts";
import { optim } from "../../src/index.ts";

const golden: { steps: number; losses: number[]; cases: Record<string, number[]> } = JSON.parse(
  readFileSync(new URL("schedules.json", import.meta.url), "utf8"),
);

const initialLearningRate = 0.5;
const bounds = { baseLr: 0.1, maxLr: 0.5 };
const schedules: Record<string, optim.Schedule> = {
  polynomial: optim.polynomialLR({ initialLearningRate, endLearningRate: 0, totalIters: 40, power: 2 }),
  "polynomial to an end": optim.polynomialLR({ initialLearningRate, endLearningRate: 0.01, totalIters: 40, power: 0.5 }),
  "polynomial cycle": optim.polynomialLR({
    initialLearningRate,
    endLearningRate: 0.01,
    totalIters: 25,
    power: 1.5,
    cycle: true,
  }),
  linear: optim.linearLR({ initialLearningRate: 0.1, endLearningRate: 0.5, totalIters: 30 }),
  exponential: optim.exponentialLR({ initialLearningRate, totalIters: 20, decayRate: 0.5 }),
  "exponential staircase": optim.exponentialLR({ initialLearningRate, totalIters: 20, decayRate: 0.7, staircase: true }),
  "inverse exponential time decay": optim.inverseExponentialTimeDecayLR({
    initialLearningRate,
    totalIters: 20,
    decayRate: 0.3,
    stepExponent: 1.5,
  }),
  "inverse exponential time decay staircase": optim.inverseExponentialTimeDecayLR({
    initialLearningRate,
    totalIters: 20,
    decayRate: 0.3,
    stepExponent: 2,
    staircase: true,
  }),
  "inverse square root": optim.inverseSquareRootDecayLR({ initialLearningRate, scale: 2, warmupSteps: 7 }),
  "cosine decay": optim.cosineDecayLR({ initialLearningRate, endLearningRate: 0.1, totalIters: 30 }),
  "piecewise constant": optim.piecewiseConstantLR({ learningRates: [0.5, 0.2, 0.1], milestones: [10, 30] }),
  "multi step": optim.multiStepLR({ initialLearningRate, gamma: 0.3, milestones: [10, 11, 40] }),
  step: optim.stepLR({ initialLearningRate, gamma: 0.3, stepSize: 15 }),
  "cosine annealing": optim.cosineAnnealingLR({ initialLearningRate, TMax: 13, etaMin: 0.01 }),
  "warm restarts": optim.cosineAnnealingWarmRestartsLR({ initialLearningRate, T0: 11, etaMin: 0.01 }),
  "warm restarts longer": optim.cosineAnnealingWarmRestartsLR({ initialLearningRate, T0: 5, TMult: 2, etaMin: 0.01 }),
  lambda: optim.lambdaLR({ initialLearningRate, lambda: (step) => 1 / (1 + step) }),
  multiplicative: optim.multiplicativeLR({ initialLearningRate, coefficient: 0.95 }),
  "multiplicative by step": optim.multiplicativeLR({ initialLearningRate, coefficient: (step) => 1 - 0.01 * step }),
  cyclic: optim.cyclicLR({ ...bounds, stepSizeUp: 10, stepSizeDown: 5 }),
  "cyclic 2": optim.cyclicLR({ ...bounds, stepSizeUp: 10, mode: "triangular2" }),
  "cyclic exponential": optim.cyclicLR({ ...bounds, stepSizeUp: 8, stepSizeDown: 9, mode: "exp_range", gamma: 0.97 }),
  "one cycle": optim.oneCycleLR({
    initialLearningRate: 0.05,
    maxLr: 0.5,
    totalSteps: golden.steps + 1,
    finalDivFactor: 100,
  }),
  "one cycle linear": optim.oneCycleLR({
    initialLearningRate: 0.02,
    maxLr: 0.5,
    totalSteps: golden.steps + 1,
    pctStart: 0.4,
    annealStrategy: "linear",
    threePhase: true,
  }),
  sequential: optim.sequentialLR({
    schedulers: [
      optim.linearLR({ initialLearningRate: 0, endLearningRate: 0.5, totalIters: 10 }),
      optim.exponentialLR({ initialLearningRate, totalIters: 5, decayRate: 0.9 }),
    ],
  }),
  chained: optim.chainedLR({
    schedulers: [
      optim.exponentialLR({ initialLearningRate, totalIters: 1, decayRate: 0.95 }),
      optim.stepLR({ initialLearningRate: 3, gamma: 0.3, stepSize: 15 }),
    ],
  }),
  plateau: optim.reduceOnPlateauLR({ initialLearningRate, factor: 0.3, patience: 1 }),
  "plateau all": optim.reduceOnPlateauLR({
    initialLearningRate,
    metric: "val_score",
    mode: "max",
    factor: 0.5,
    patience: 0,
    threshold: 0.02,
    thresholdMode: "abs",
    cooldown: 2,
    minLr: 0.1,
  }),
};

test("every golden has its case", () => {
  expect(Object.keys(schedules).sort()).toEqual(Object.keys(golden.cases).sort());
});

test.each(Object.keys(schedules))("%s", (name) => {
  const schedule = schedules[name];
  schedule.steering?.aim({ names: ["loss", "score"], several: [], modes: { loss: "min" } });
  golden.cases[name].forEach((expected, step) => {
    schedule.steering?.onValidateEnd({ decides: true }, { loss: golden.losses[step], score: 1 - golden.losses[step] });
    const value = schedule(step);
    expect(Math.abs(value - expected), `step ${step}: ours ${value}, theirs ${expected}`).toBeLessThanOrEqual(1e-12);
  });
});

// Golden: a hash of the float64 bits of 300 steps of every closed form. A learning rate's bits are part of the numerics id: they may change only with
// it, and are the same on every engine.
test("the bits of all closed forms are those of the numerics id", () => {
  const forms = Object.entries(schedules).filter(([, schedule]) => !schedule.steering);
  const values = forms.flatMap(([, schedule]) => Array.from({ length: 300 }, (_, step) => schedule(step)));
  const bytes = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => bytes.setFloat64(8 * i, value, true));
  expect(toHex(sha256(new Uint8Array(bytes.buffer)))).toBe("4a0e98f55aba14c0d36a0a888e4851fb16d282a540a3f49302901252560ec71f");
});
