// The losses that a config may name: `loss: cross_entropy`.
import { crossEntropy, type Loss, mse } from "../../nn/losses.ts";
import { Catalog } from "./values.ts";

export const losses = new Catalog<Loss, void, "class">("class", "a loss: its name, or a map with one key")
  .add("cross_entropy", {}, () => crossEntropy)
  .add("mse", {}, () => mse);
