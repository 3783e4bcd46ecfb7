import { count, flag, type Given, list, numberOf, probability, tuple, word } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { relu } from "./activation.ts";
import { batchNorm2d } from "./channelnorm.ts";
import { affineParameters, checkStack } from "./check.ts";
import { sequential } from "./containers.ts";
import { conv2d } from "./conv.ts";
import { dropout as dropoutLayer } from "./dropout.ts";
import { flatten, unflatten } from "./flatten.ts";
import { initNames } from "./init.ts";
import { layerOptions } from "./layer.ts";
import { linear } from "./linear.ts";
import { maxPool2d } from "./pool.ts";

const odd = numberOf("an odd integer ≥ 1", { integer: true, odd: true, least: 1 }, "no odd size");
const record = layerOptions("cnn", {
  /** A sample's channels, height and width; samples may come flat. */
  input: tuple("three counts: channels, height, width", count, count, count),
  /** Output channels of each convolution; each halves height and width. */
  channels: list(count, 1, "at least one count"),
  /** How many classes there are. */
  classes: count,
  /** The filters' extent down and across, odd. */
  size: odd.default(3),
  /** Whether each convolution is followed by batch normalisation, and then has no bias of its own. */
  batchNorm: flag.default(false),
  /** Probability before the last layer. */
  dropout: probability.default(0),
  /** How weights begin, by the name of an initialiser; U(±1/√inputs) unless given, inputs counted over the filter. */
  init: word(...initNames).optional(),
});
export type CnnOptions = Given<typeof record>;

/**
 * For each of `channels`: convolution (stride 1, padded to keep the extents), batch normalisation where asked for, ReLU, 2 × 2 maximum; then one affine layer. inputs: [batch, ...] → [batch, classes]. Throws ShapeError for sizes that don't fit.
 * @torch none: torch.nn.Sequential of its layers
 * @example nn.cnn({ input: [1, 8, 8], channels: [2, 4], classes: 3 }).forward(zeros([2, 1, 8, 8]))
 */
export const cnn = factory(record, ({ input, channels, classes, size, batchNorm, dropout, init }) => {
  const depths = [input[0], ...channels];
  const [height, width] = input.slice(1).map((extent) => channels.reduce((half) => Math.floor(half / 2), extent));
  const features = depths[channels.length] * height * width;
  const own = channels.map((to, i) => affineParameters(depths[i] * size * size, to) + (batchNorm ? to : 0));
  const parameters = own.reduce((sum, each) => sum + each, affineParameters(features, classes));
  checkStack(record.where, depths.length, parameters);
  const blocks = channels.flatMap((to, i) => [
    conv2d(depths[i], to, size, { padding: (size - 1) / 2, bias: !batchNorm, init }),
    ...(batchNorm ? [batchNorm2d(to)] : []),
    relu(),
    maxPool2d(2),
  ]);
  const before = dropout > 0 ? [dropoutLayer(dropout)] : [];
  return sequential(unflatten(input), ...blocks, flatten(), ...before, linear(features, classes, { init }));
});
