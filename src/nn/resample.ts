// Layers that give images another resolution, or another form. Images are [batch, channels, ...extents].
import { signature } from "../core/arguments.ts";
import { checkInterpolation, type InterpolateOptions, interpolateKinds } from "../ops/interpolate.ts";
import { type PerAxis, perAxis, perAxisKind, type WindowOptions, windowOptions } from "../ops/per-axis.ts";
import { windowSpec } from "../ops/window.ts";
import { ops } from "../tensor/families/images.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { across } from "./check.ts";
import { checked, extent, factoryOf, Layer } from "./layer.ts";

const byName = "stride, padding and dilation go by name";
const calls = {
  upsample: signature("nn.upsample", { options: interpolateKinds }, "nn.upsample({ scaleFactor: 2 })"),
  pixelShuffle: signature("nn.pixelShuffle", { factor: extent }),
  pixelUnshuffle: signature("nn.pixelUnshuffle", { factor: extent }),
  unfold: signature("nn.unfold", { size: perAxisKind, "options?": windowOptions }, byName),
  fold: signature("nn.fold", { outputSize: perAxisKind, size: perAxisKind, "options?": windowOptions }, byName),
};

/** Images in another resolution. x: [batch, channels, ...extents] → [batch, channels, ...size]. */
export class Upsample extends Layer {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super(checked(calls.upsample, arguments));
    checkInterpolation(this.where, options);
    this.options = options;
  }

  protected override apply(inputs: Tensor): Tensor {
    return ops.interpolate(inputs, this.options);
  }

  protected override describe(): string {
    const { size, scaleFactor, mode = "nearest" } = this.options;
    return `(${size === undefined ? `by ${across(scaleFactor ?? 1)}` : `to ${across(size)}`}, ${mode})`;
  }
}

/**
 * A layer of interpolate, with its options; PyTorch's Upsample. Throws ConfigError.
 * @torch torch.nn.Upsample
 * @example nn.upsample({ size: [6, 6] }).forward(zeros([2, 3, 4, 4]))
 */
export const upsample = /* @__PURE__ */ factoryOf(Upsample);

type Shuffle = "pixelShuffle" | "pixelUnshuffle";

/** What moves points between channels and extents, by a factor. */
export abstract class Shuffling extends Layer {
  readonly factor: number;
  readonly #name: Shuffle;

  constructor(name: Shuffle, given: [factor: number]) {
    super(checked(calls[name], given));
    this.factor = given[0];
    this.#name = name;
  }

  protected override apply(inputs: Tensor): Tensor {
    return ops[this.#name](inputs, this.factor);
  }

  protected override describe(): string {
    return `(${this.factor})`;
  }
}

/** Channels as points. x: [..., channels · factor², height, width] → [..., channels, height · factor, width · factor]. */
export class PixelShuffle extends Shuffling {
  constructor(...given: [factor: number]) {
    super("pixelShuffle", given);
  }
}

/** Points as channels. x: [..., channels, height · factor, width · factor] → [..., channels · factor², height, width]. */
export class PixelUnshuffle extends Shuffling {
  constructor(...given: [factor: number]) {
    super("pixelUnshuffle", given);
  }
}

/**
 * A layer of pixelShuffle. Throws ShapeError.
 * @torch torch.nn.PixelShuffle
 * @example nn.pixelShuffle(2).forward(zeros([2, 4, 3, 3]))
 */
export const pixelShuffle = /* @__PURE__ */ factoryOf(PixelShuffle);

/**
 * A layer of pixelUnshuffle. Throws ShapeError.
 * @torch torch.nn.PixelUnshuffle
 * @example nn.pixelUnshuffle(2).forward(zeros([2, 3, 4, 4]))
 */
export const pixelUnshuffle = /* @__PURE__ */ factoryOf(PixelUnshuffle);

/** Windows of images as columns. x: [batch, channels, height, width] → [batch, channels · down · across, windows]. */
export class Unfold extends Layer {
  readonly size: PerAxis;
  readonly options: WindowOptions;

  constructor(size: PerAxis, options: WindowOptions = {}) {
    super(checked(calls.unfold, arguments));
    windowSpec(this.where, 2, size, options);
    this.size = size;
    this.options = options;
  }

  protected override apply(inputs: Tensor): Tensor {
    return ops.im2col(inputs, this.size, this.options);
  }

  protected override describe(): string {
    return `(${across(this.size)})`;
  }
}

/**
 * A layer of im2col, PyTorch's Unfold. Throws ShapeError.
 * @torch torch.nn.Unfold
 * @example nn.unfold(2).forward(zeros([2, 3, 4, 4]))
 */
export const unfold = /* @__PURE__ */ factoryOf(Unfold);

/** Columns added up to images. x: [batch, channels · down · across, windows] → [batch, channels, ...outputSize]. */
export class Fold extends Layer {
  readonly outputSize: PerAxis;
  readonly size: PerAxis;
  readonly options: WindowOptions;

  constructor(outputSize: PerAxis, size: PerAxis, options: WindowOptions = {}) {
    super(checked(calls.fold, arguments));
    perAxis(this.where, "outputSize", outputSize, 2, 1);
    windowSpec(this.where, 2, size, options);
    this.outputSize = outputSize;
    this.size = size;
    this.options = options;
  }

  protected override apply(inputs: Tensor): Tensor {
    return ops.col2im(inputs, this.outputSize, this.size, this.options);
  }

  protected override describe(): string {
    return `(${across(this.size)} to ${across(this.outputSize)})`;
  }
}

/**
 * A layer of col2im, PyTorch's Fold. Throws ShapeError.
 * @torch torch.nn.Fold
 * @example nn.fold([4, 4], 2).forward(zeros([2, 12, 9]))
 */
export const fold = /* @__PURE__ */ factoryOf(Fold);
