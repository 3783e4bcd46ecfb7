import { count, flag, type Given, list, probability, word } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { relu, sigmoid, softplus, tanh } from "./activation.ts";
import { affineParameters, checkStack } from "./check.ts";
import { sequential } from "./containers.ts";
import { dropout as dropoutLayer } from "./dropout.ts";
import { initNames } from "./init.ts";
import { layerOptions } from "./layer.ts";
import { linear } from "./linear.ts";
import * as further from "./nonlinearities.ts";

const nonlinearities = { relu, tanh, sigmoid, softplus, ...further };
// In one order, whatever a bundler makes of a module's names.
const names = (Object.keys(nonlinearities) as (keyof typeof nonlinearities)[]).sort();

const record = layerOptions("mlp", {
  /** Sizes of inputs, hidden layers and outputs, in this order. */
  sizes: list(count, 2, "at least two sizes, inputs first"),
  /** Probability after each activation. */
  dropout: probability.default(0),
  /** What follows each layer but the last. */
  activation: word(...names).default("relu"),
  /** Whether layers add a bias. */
  bias: flag.default(true),
  /** How weights begin, by the name of an initialiser; U(±1/√inputs) unless given. */
  init: word(...initNames).optional(),
});
export type MlpOptions = Given<typeof record>;

/**
 * A multilayer perceptron: affine layers, an activation and dropout after each but the last. inputs: [batch, sizes[0]] → [batch, sizes[n − 1]]. Throws ShapeError for sizes that don't fit.
 * @torch torchvision.ops.MLP
 * @example nn.mlp({ sizes: [4, 8, 3] }).forward(zeros([2, 4]))
 */
export const mlp = factory(record, ({ sizes, dropout, activation, bias, init }) => {
  const parameters = sizes.slice(1).reduce((sum, size, i) => sum + affineParameters(sizes[i], size, bias), 0);
  checkStack(record.where, sizes.length - 1, parameters);
  const layers = sizes.slice(1).flatMap((size, i) => {
    const affine = linear(sizes[i], size, { bias, init });
    if (i === sizes.length - 2) return [affine];
    return [affine, nonlinearities[activation](), ...(dropout > 0 ? [dropoutLayer(dropout)] : [])];
  });
  return sequential(...layers);
});
