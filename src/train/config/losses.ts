// The losses that a config may name: `loss: cross_entropy`, or `loss: {cross_entropy: {label_smoothing: 0.1}}`.

import type { Loss } from "../../nn/losses.ts";
import * as nn from "../../nn/losses.ts";
import { Catalog } from "./catalog.ts";
import { flag, limit, probability } from "./values.ts";

export const losses = new Catalog<Loss, void, "class">("loss", "class", "a loss: its name, or a map with one key")
  .add("cross_entropy", { labelSmoothing: probability.default(0) }, (options) =>
    options.labelSmoothing === 0 ? nn.crossEntropy : (outputs, batch) => nn.crossEntropy(outputs, batch, options),
  )
  .add("nll", {}, () => nn.nll)
  .add(
    "binary_cross_entropy",
    { positiveWeight: limit.default(1) },
    (options) => (outputs, batch) => nn.binaryCrossEntropy(outputs, batch, options),
  )
  .add("mse", {}, () => nn.mse)
  .add("l1", {}, () => nn.l1)
  .add("smooth_l1", { beta: limit.default(1) }, (options) => (outputs, batch) => nn.smoothL1(outputs, batch, options))
  .add("huber", { delta: limit.default(1) }, (options) => (outputs, batch) => nn.huber(outputs, batch, options))
  .add(
    "kl_divergence",
    { logTarget: flag.default(false) },
    (options) => (outputs, batch) => nn.klDivergence(outputs, batch, options),
  );
