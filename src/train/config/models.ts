// The models that a config may name: `model: {name: mlp, …}`.
import { z } from "zod";
import { ConfigError } from "../../core/errors.ts";
import { affineParameters, checkStack } from "../../nn/check.ts";
import { cnn, dropout as dropoutLayer, gelu, gpt, linear, relu, sequential, sigmoid, tanh } from "../../nn/index.ts";
import type { Module } from "../../nn/module.ts";
import { Catalog } from "./catalog.ts";
import { count, expected, flag, list, probability, word } from "./values.ts";

const activations = { relu, gelu, tanh, sigmoid };

/** Each entry draws its weights from the ambient stream. */
export const models = new Catalog<Module, void, "name">("model", "name", "a map with a name")
  .add(
    "mlp",
    {
      sizes: list(count).min(2, expected("at least two sizes, inputs first")),
      dropout: probability.default(0),
      activation: word(["relu", "gelu", "tanh", "sigmoid"]).default("relu"),
      bias: flag.default(true),
    },
    ({ sizes, dropout, activation, bias }) => {
      const parameters = sizes.slice(1).reduce((sum, size, i) => sum + affineParameters(sizes[i], size, bias), 0);
      checkStack("mlp", sizes.length - 1, parameters);
      const layers = sizes.slice(1).flatMap((size, i) => {
        const affine = linear(sizes[i], size, { bias });
        if (i === sizes.length - 2) return [affine];
        return [affine, activations[activation](), ...(dropout > 0 ? [dropoutLayer(dropout)] : [])];
      });
      return sequential(...layers);
    },
  )
  .add(
    "cnn",
    {
      input: z.tuple([count, count, count], expected("three counts: channels, height, width")),
      channels: list(count).min(1, expected("at least one count")),
      classes: count,
      size: z
        .int(expected("an odd integer ≥ 1"))
        .min(1, expected("an odd integer ≥ 1"))
        .refine((size) => size % 2 === 1, expected("an odd integer ≥ 1"))
        .default(3),
      dropout: probability.default(0),
    },
    (options) => cnn(options),
  )
  .add(
    "gpt",
    { vocabulary: count, context: count, width: count, heads: count, layers: count, dropout: probability.default(0) },
    (options) => {
      const { width, heads } = options;
      if (width % heads === 0) return gpt(options);
      throw new ConfigError({
        where: "trainer.init.model.heads",
        problem: "heads that the width can't be shared out to",
        got: `width ${width}, heads ${heads}`,
        expected: "a width that is a multiple of heads",
      });
    },
  );
