// A vision transformer (Dosovitskiy et al. 2021), which is told what it sees by the mean of its patches (Beyer, Zhai and Kolesnikov 2022) and not by a class token.
import { refuse, ShapeError } from "../core/errors.ts";
import { count, type Given, probability, tuple, word } from "../core/options.ts";
import { maker } from "../core/things.ts";
import { Parameter } from "../program/variable.ts";
import { normal, reshape, swapAxes } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { across } from "./check.ts";
import { type Conv2d, conv2d } from "./conv.ts";
import { type Dropout, dropout as dropoutLayer } from "./dropout.ts";
import { type SampleShape, unflatten } from "./flatten.ts";
import { checked, Layer, layerOptions } from "./layer.ts";
import { type Linear, linear } from "./linear.ts";
import { type TransformerStack, transformerEncoder } from "./transformer.ts";

const record = layerOptions("vit", {
  /** A sample's channels, height and width; samples may come flat. */
  input: tuple("three counts: channels, height, width", count, count, count),
  /** The height and width of a patch; a divisor of the image's. */
  patch: count,
  /** How many classes there are. */
  classes: count,
  /** Numbers of each patch's vector. */
  width: count,
  /** Attention heads; a divisor of width. */
  heads: count,
  /** Transformer layers. */
  layers: count,
  /** Probability on the embeddings, the attention weights, between each layer's two products and on what each part adds. */
  dropout: probability.default(0),
  /** Between the two products of a layer. */
  activation: word("relu", "gelu").default("gelu"),
});
export type VitOptions = Given<typeof record>;

/** An affine map of each patch, learned positions that begin as N(0, 0.02²), encoder layers that normalise first, a last norm, the mean over patches, and an affine head. inputs: [batch, ...] → [batch, classes]. */
export class Vit extends Layer {
  readonly image: SampleShape;
  readonly patches: Conv2d;
  readonly positions: Parameter;
  readonly dropout: Dropout;
  readonly encoder: TransformerStack;
  readonly head: Linear;

  constructor(options: VitOptions) {
    super(checked(record.signature, arguments));
    const { input, patch, classes, width, heads, layers, dropout, activation } = record.fill(options);
    const [channels, ...extents] = input;
    if (extents.some((extent) => extent % patch !== 0)) {
      const [where, got] = [`${this.where}.patch`, `${across(extents)} pixels, patches of ${patch} × ${patch}`];
      refuse(ShapeError, where, "the image isn't whole patches", got, "a divisor of height and width");
    }
    this.image = unflatten(input);
    this.patches = conv2d(channels, width, patch, { stride: patch });
    this.positions = new Parameter(normal([(extents[0] / patch) * (extents[1] / patch), width]).mul(0.02));
    this.dropout = dropoutLayer(dropout);
    this.encoder = transformerEncoder(layers, width, heads, { dropout, activation, normFirst: true });
    this.head = linear(width, classes);
  }

  protected override apply(inputs: Tensor): Tensor {
    const grid = this.patches.forward(this.image.forward(inputs));
    const [batch, width, down, wide] = grid.shape;
    const sequence = swapAxes(reshape(grid, [batch, width, down * wide]), 1, 2);
    const embedded = this.dropout.forward(sequence.add(this.positions));
    return this.head.forward(this.encoder.forward(embedded).mean(1));
  }
}

/**
 * A vision transformer. Throws ShapeError for sizes that don't fit.
 * @torch none: torchvision.models.VisionTransformer has a class token
 * @golden attention, of its layers
 * @example nn.vit({ input: [1, 4, 4], patch: 2, classes: 3, width: 8, heads: 2, layers: 1 }).forward(zeros([2, 16]))
 */
export const vit = maker(record, Vit);
