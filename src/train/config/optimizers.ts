// The optimizers that a config may name: `optimizer: {AdamW: {learning_rate: 0.001, groups: [{parameters: "*.bias", weight_decay: 0}]}}`.
import { z } from "zod";
import type { Module } from "../../nn/module.ts";
import * as optim from "../../optim/index.ts";
import { Catalog, count, decay, expected, flag, limit, list, rate, record, text, texts, word } from "./values.ts";

const group = record({
  parameters: texts,
  learningRate: rate.optional(),
  weightDecay: rate.optional(),
  decayAll: flag.optional(),
  tags: texts.optional(),
  adjustLearningRate: rate.optional(),
});

const base = {
  learningRate: rate,
  decayAll: flag.default(false),
  maximize: flag.default(false),
  groups: list(group).default([]),
};
const l2 = { ...base, weightDecay: rate.default(0) };
const pair = (first: number, second: number) =>
  z.tuple([decay, decay], expected("two numbers in [0, 1)")).default([first, second]);
const numbers = (first: number, second: number) =>
  z.tuple([rate, rate], expected("two numbers ≥ 0")).default([first, second]);
const betas = { betas: pair(0.9, 0.999), epsilon: rate.default(1e-8) };
const amsgrad = { amsgrad: flag.default(false) };
const decoupled = { decoupledWeightDecay: flag.default(false) };

/** An optimizer's maker, over the model's parameters in the config's groups. */
const over =
  <O extends optim.OptimizerOptions>(make: (parameters: optim.ParametersOrGroups, options: O) => optim.Optimizer) =>
  ({ groups, ...options }: O & { readonly groups: readonly optim.GlobGroup[] }, model: Module): optim.Optimizer => {
    const parameters = model.parameters();
    return make(groups.length > 0 ? optim.parameterGroups(parameters, groups) : parameters, options as unknown as O);
  };

/** Each entry takes the model whose parameters it updates. */
export const optimizers = new Catalog<optim.Optimizer, Module, "class">("class", "one optimizer: a map with one key")
  .add(
    "SGD",
    { ...l2, momentum: decay.default(0), nesterov: flag.default(false), dampening: decay.default(0) },
    over(optim.sgd),
  )
  .add("Adam", { ...l2, ...betas, ...amsgrad }, over(optim.adam))
  .add("AdamW", { ...base, weightDecay: rate.default(0.01), ...betas, ...amsgrad }, over(optim.adamW))
  .add(
    "Adagrad",
    {
      ...l2,
      learningRateDecay: rate.default(0),
      initialAccumulatorValue: rate.default(0),
      epsilon: rate.default(1e-10),
    },
    over(optim.adagrad),
  )
  .add("Adadelta", { ...l2, rho: decay.default(0.9), epsilon: rate.default(1e-6) }, over(optim.adadelta))
  .add("Adamax", { ...l2, ...betas }, over(optim.adamax))
  .add("NAdam", { ...l2, ...betas, momentumDecay: rate.default(0.004), ...decoupled }, over(optim.nadam))
  .add("RAdam", { ...l2, ...betas, ...decoupled }, over(optim.radam))
  .add(
    "RMSprop",
    {
      ...l2,
      alpha: decay.default(0.99),
      epsilon: rate.default(1e-8),
      momentum: decay.default(0),
      centered: flag.default(false),
    },
    over(optim.rmsprop),
  )
  .add(
    "Rprop",
    {
      learningRate: rate,
      maximize: base.maximize,
      groups: base.groups,
      etas: numbers(0.5, 1.2),
      stepSizes: numbers(1e-6, 50),
    },
    over(optim.rprop),
  )
  .add(
    "ASGD",
    { ...l2, lambda: rate.default(1e-4), alpha: rate.default(0.75), t0: rate.default(1e6) },
    over(optim.asgd),
  )
  .add("Lamb", { ...l2, betas: betas.betas, epsilon: rate.default(1e-6) }, over(optim.lamb))
  .add("Lion", { ...l2, betas: pair(0.9, 0.99) }, over(optim.lion))
  .add(
    "Adafactor",
    {
      ...l2,
      epsilons: numbers(1e-30, 1e-3),
      clipThreshold: limit.default(1),
      decayRate: z
        .number(expected("a number in [-1, 0)"))
        .min(-1, expected("a number in [-1, 0)"))
        .lt(0, expected("a number in [-1, 0)"))
        .default(-0.8),
      beta1: decay.optional(),
      scaleParameter: flag.default(true),
      relativeStep: flag.default(false),
    },
    over(optim.adafactor),
  )
  .add(
    "Muon",
    {
      ...l2,
      momentum: decay.default(0.95),
      nesterov: flag.default(true),
      newtonSchulzSteps: count.default(5),
      adjust: word(["original", "match_rms_adamw"]).default("original"),
      adam: list(text).default([]),
      adamBetas: pair(0.9, 0.95),
      adamEpsilon: rate.default(1e-8),
    },
    over(optim.muon),
  );
