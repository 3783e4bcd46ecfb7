// The models that a config may name: `model: {name: mlp, …}`.
import { dropout as dropoutLayer, gelu, linear, relu, sequential, sigmoid, tanh } from "../../nn/index.ts";
import type { Module } from "../../nn/module.ts";
import { Catalog, count, expected, flag, list, probability, word } from "./values.ts";

const activations = { relu, gelu, tanh, sigmoid };

/** Each entry draws its weights from the ambient stream. */
export const models = new Catalog<Module, void, "name">("name", "a map with a name").add(
  "mlp",
  {
    sizes: list(count).min(2, expected("at least two sizes, inputs first")),
    dropout: probability.default(0),
    activation: word(["relu", "gelu", "tanh", "sigmoid"]).default("relu"),
    bias: flag.default(true),
  },
  ({ sizes, dropout, activation, bias }) => {
    const layers = sizes.slice(1).flatMap((size, i) => {
      const affine = linear(sizes[i], size, { bias });
      if (i === sizes.length - 2) return [affine];
      return [affine, activations[activation](), ...(dropout > 0 ? [dropoutLayer(dropout)] : [])];
    });
    return sequential(...layers);
  },
);
