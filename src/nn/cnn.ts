// A small convolutional network for images.
import { checkArguments, number, numbers, options as optionsOf, signature } from "../core/arguments.ts";
import { ShapeError } from "../core/errors.ts";
import { checkProbability } from "../ops/random.ts";
import { relu } from "./activation.ts";
import { affineParameters, checkCount, checkStack } from "./check.ts";
import { conv2d, flatten, maxPool2d, unflatten } from "./conv.ts";
import { dropout as dropoutLayer } from "./dropout.ts";
import { linear } from "./linear.ts";
import { type Sequential, sequential } from "./sequential.ts";

export interface CnnOptions {
  /** A sample's channels, height and width; samples may come flat. */
  readonly input: readonly [channels: number, height: number, width: number];
  /** Output channels of each convolution; each halves height and width. */
  readonly channels: readonly number[];
  readonly classes: number;
  /** The filters' extent down and across, odd; 3 unless given. */
  readonly size?: number;
  /** Probability before the last layer; 0 unless given. */
  readonly dropout?: number;
}

const call = signature("nn.cnn", {
  options: optionsOf<CnnOptions>({
    input: numbers,
    channels: numbers,
    classes: number,
    "size?": number,
    "dropout?": number,
  }),
});

/** For each of `channels`: convolution (stride 1, padded to keep the extents), ReLU, 2 × 2 maximum; then one affine layer. inputs: [batch, ...] → [batch, classes]. Throws ShapeError for sizes that don't fit. */
export function cnn(options: CnnOptions): Sequential {
  checkArguments(call, arguments);
  const { input, channels, classes, size = 3, dropout = 0 } = options;
  if (input.length !== 3) {
    throw new ShapeError({
      where: "nn.cnn.input",
      problem: "not a sample's extents",
      got: `[${input.join(", ")}]`,
      expected: "[channels, height, width]",
    });
  }
  for (const extent of input) checkCount("cnn", "an extent of input", extent);
  checkProbability("nn.cnn.dropout", dropout);
  if (size % 2 !== 1) {
    throw new ShapeError({
      where: "nn.cnn",
      problem: "filters without a middle",
      got: String(size),
      expected: "an odd size",
    });
  }
  checkCount("cnn", "classes", classes);
  let [inputs, height, width] = input;
  let parameters = 0;
  const convolutions = channels.map((outputs) => {
    checkCount("cnn", "one of channels", outputs);
    const extents = [inputs, outputs] as const;
    parameters += affineParameters(inputs * size * size, outputs);
    [inputs, height, width] = [outputs, Math.floor(height / 2), Math.floor(width / 2)];
    return extents;
  });
  const features = inputs * height * width;
  checkStack("cnn", channels.length + 1, parameters + affineParameters(features, classes));
  const blocks = convolutions.flatMap(([from, to]) => [
    conv2d(from, to, size, { padding: (size - 1) / 2 }),
    relu(),
    maxPool2d(2),
  ]);
  const before = dropout > 0 ? [dropoutLayer(dropout)] : [];
  return sequential(unflatten(input), ...blocks, flatten(), ...before, linear(features, classes));
}
