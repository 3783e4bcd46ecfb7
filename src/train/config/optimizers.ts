// The optimizers that a config may name: `optimizer: {AdamW: {learning_rate: 0.001}}`.

import { z } from "zod";
import type { Module } from "../../nn/module.ts";
import * as optim from "../../optim/index.ts";
import { Catalog, decay, expected, flag, rate } from "./values.ts";

const base = { learningRate: rate, decayAll: flag.default(false) };
const adamShape = {
  ...base,
  betas: z.tuple([decay, decay], expected("two numbers in [0, 1)")).default([0.9, 0.999]),
  epsilon: rate.default(1e-8),
};

/** Each entry takes the model whose parameters it updates. */
export const optimizers = new Catalog<optim.Optimizer, Module, "class">("class", "one optimizer: a map with one key")
  .add(
    "SGD",
    { ...base, weightDecay: rate.default(0), momentum: decay.default(0), nesterov: flag.default(false) },
    (options, model) => optim.sgd(model.parameters(), options),
  )
  .add("Adam", { ...adamShape, weightDecay: rate.default(0) }, (options, model) =>
    optim.adam(model.parameters(), options),
  )
  .add("AdamW", { ...adamShape, weightDecay: rate.default(0.01) }, (options, model) =>
    optim.adamW(model.parameters(), options),
  );
