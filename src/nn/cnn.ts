import { count, flag, type Given, list, numberOf, probability, tuple, word } from "../core/options.ts";
import { factory } from "../core/things.ts";
import { relu } from "./activation.ts";
import { batchNorm2d } from "./channelnorm.ts";
import { affineParameters, checkStack } from "./check.ts";
import { conv2d } from "./conv.ts";
import { dropout as dropoutLayer } from "./dropout.ts";
import { flatten, unflatten } from "./flatten.ts";
import { initNames } from "./init.ts";
import { layerOptions } from "./layer.ts";
import { linear } from "./linear.ts";
import { maxPool2d } from "./pool.ts";
import { sequential } from "./sequential.ts";

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
  let [inputs, height, width] = input;
  let parameters = 0;
  const convolutions = channels.map((outputs) => {
    const extents = [inputs, outputs] as const;
    parameters += affineParameters(inputs * size * size, outputs) + (batchNorm ? outputs : 0);
    [inputs, height, width] = [outputs, Math.floor(height / 2), Math.floor(width / 2)];
    return extents;
  });
  const features = inputs * height * width;
  checkStack(record.where, channels.length + 1, parameters + affineParameters(features, classes));
  const blocks = convolutions.flatMap(([from, to]) => [
    conv2d(from, to, size, { padding: (size - 1) / 2, bias: !batchNorm, init }),
    ...(batchNorm ? [batchNorm2d(to)] : []),
    relu(),
    maxPool2d(2),
  ]);
  const before = dropout > 0 ? [dropoutLayer(dropout)] : [];
  return sequential(unflatten(input), ...blocks, flatten(), ...before, linear(features, classes, { init }));
});
