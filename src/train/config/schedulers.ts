// The schedulers that a config may name: `schedulers: [{LinearLR: {…}}]`. `…LR` sets learning rates, `…WD` weight decays, with the same options
// under other names.
import { z } from "zod";
import { ownValue } from "../../core/keys.ts";
import * as optim from "../../optim/index.ts";
import type { Schedule } from "../../optim/schedules/index.ts";
import {
  Catalog,
  type Choice,
  count,
  decay,
  expected,
  flag,
  limit,
  list,
  live,
  rate,
  text,
  texts,
  word,
} from "./values.ts";

const parts = list(live((): z.ZodType<Choice<"class">> => schedulers.schema)).min(
  1,
  expected("at least one scheduler"),
);
const targets = { paramGroupTags: texts.optional() };
const between = { initialVal: rate, endVal: rate, totalIters: count };
const exponential = { initialVal: rate, totalIters: count, decayRate: limit, staircase: flag.default(false) };

/** The options of each form, as a weight decay's. */
const forms: Readonly<Record<string, z.ZodRawShape>> = {
  constant: { val: rate, totalIters: count.optional() },
  linear: between,
  polynomial: { ...between, power: limit.default(1), cycle: flag.default(false) },
  exponential,
  inverseExponentialTimeDecay: { ...exponential, decayRate: rate, stepExponent: limit },
  inverseSquareRootDecay: { initialVal: rate.default(1), scale: rate.default(1), warmupSteps: count.default(1) },
  cosineDecay: between,
  piecewiseConstant: { vals: list(rate), milestones: list(count) },
  multiStep: { initialVal: rate, gamma: rate, milestones: list(count) },
  step: { initialVal: rate, stepSize: count, gamma: rate },
  cosineAnnealing: { initialVal: rate, TMax: count, etaMin: rate.default(0) },
  cosineAnnealingWarmRestarts: { initialVal: rate, T0: count, TMult: count.default(1), etaMin: rate.default(0) },
  multiplicative: { initialVal: rate, coefficient: rate },
  cyclic: {
    baseVal: rate,
    maxVal: rate,
    stepSizeUp: count.default(2000),
    stepSizeDown: count.optional(),
    mode: word(["triangular", "triangular2", "exp_range"]).default("triangular"),
    gamma: limit.default(1),
  },
  oneCycle: {
    initialVal: rate,
    maxVal: rate,
    totalSteps: count.default(1000),
    pctStart: limit.lt(1, expected("a number in (0, 1)")).default(0.3),
    finalDivFactor: limit.default(1e4),
    threePhase: flag.default(false),
    annealStrategy: word(["cos", "linear"]).default("cos"),
  },
  reduceOnPlateau: {
    initialVal: rate,
    metric: text.default("loss"),
    mode: word(["min", "max"]).optional(),
    factor: decay.default(0.1),
    patience: z.int(expected("an integer ≥ 0")).min(0, expected("an integer ≥ 0")).default(10),
    threshold: rate.default(1e-4),
    thresholdMode: word(["rel", "abs"]).default("rel"),
    cooldown: z.int(expected("an integer ≥ 0")).min(0, expected("an integer ≥ 0")).default(0),
    minVal: rate.default(0),
    epsilon: rate.default(1e-8),
  },
};

const learningRateNames: Readonly<Record<string, string>> = optim.learningRateNames;
const asLearningRate = (shape: z.ZodRawShape): z.ZodRawShape =>
  Object.fromEntries(Object.entries(shape).map(([key, value]) => [ownValue(learningRateNames, key) ?? key, value]));

export const schedulers: Catalog<Schedule, void, "class"> = new Catalog<Schedule, void, "class">(
  "class",
  "a scheduler: a map with one key",
);

const makers = optim as unknown as Readonly<Record<string, (options: unknown) => Schedule>>;
for (const [form, shape] of Object.entries(forms)) {
  const name = form[0].toUpperCase() + form.slice(1);
  // The one name without LR, as it is known.
  const forRates = form === "cosineAnnealingWarmRestarts" ? name : `${name}LR`;
  schedulers.add(forRates, { ...asLearningRate(shape), ...targets }, makers[`${form}LR`]);
  schedulers.add(`${name}WD`, { ...shape, ...targets }, makers[`${form}WD`]);
}

const make = (list: readonly Choice<"class">[]) => list.map((part) => schedulers.make(part));
for (const [kind, sequential, chained] of [
  ["LR", optim.sequentialLR, optim.chainedLR],
  ["WD", optim.sequentialWD, optim.chainedWD],
] as const) {
  schedulers
    .add(`Sequential${kind}`, { schedulers: parts, milestones: list(count).optional(), ...targets }, (options) =>
      sequential({ ...options, schedulers: make(options.schedulers) }),
    )
    .add(`Chained${kind}`, { schedulers: parts, ...targets }, (options) =>
      chained({ ...options, schedulers: make(options.schedulers) }),
    );
}
schedulers.add(
  "ScalePerParamLR",
  { scheduler: live((): z.ZodType<Choice<"class">> => schedulers.schema), ...targets },
  (options) => optim.scalePerParamLR({ ...options, scheduler: schedulers.make(options.scheduler) }),
);
