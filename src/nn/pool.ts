// Layers of pooling over one, two and three dimensions. Images are [batch, channels, ...extents].
import { boolean, options as optionsOf } from "../core/arguments.ts";
import { type PerAxis, perAxisKind, type WindowOptions, windowOptions } from "../ops/per-axis.ts";
import type { AvgPoolOptions } from "../ops/pool.ts";
import { windowSpec } from "../ops/window.ts";
import { ops } from "../tensor/families/images.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { across } from "./check.ts";
import { type ImageOp, imageLayer, type Rank } from "./images.ts";
import { checked, factoryOf, Layer } from "./layer.ts";

/** What a layer is made with: the windows' size, and the rest by name. */
export type MaxPoolCall = [size: PerAxis, options?: WindowOptions];
export type AvgPoolCall = [size: PerAxis, options?: AvgPoolOptions];
/** How many windows there are. */
export type AdaptivePoolCall = [size: PerAxis];

interface Calls {
  readonly maxPool: MaxPoolCall;
  readonly avgPool: AvgPoolCall;
  readonly adaptiveAvgPool: AdaptivePoolCall;
  readonly adaptiveMaxPool: AdaptivePoolCall;
}
type Family = keyof Calls;

/** What layers of pooling have in common: windows of `size` points, or as many windows, and the function's options. */
export abstract class Pooling extends Layer {
  readonly size: PerAxis;
  readonly options?: WindowOptions | AvgPoolOptions;
  readonly #op: ImageOp<Family>;

  constructor(op: ImageOp<Family>, given: Calls[Family]) {
    const where = checked(op.call, given);
    super(where);
    const [size, options] = given;
    windowSpec(where, op.rank, size, options);
    this.size = size;
    if (options) this.options = options;
    this.#op = op;
  }

  protected override apply(inputs: Tensor): Tensor {
    const apply = ops[this.#op.name as "maxPool2d"];
    return this.options ? apply(inputs, this.size, this.options) : apply(inputs, this.size);
  }

  protected override describe(): string {
    return `(${across(this.size)})`;
  }
}

const averaging = { "stride?": perAxisKind, "padding?": perAxisKind, "countPadding?": boolean };
const parameters = {
  maxPool: { size: perAxisKind, "options?": windowOptions },
  avgPool: { size: perAxisKind, "options?": optionsOf<AvgPoolOptions>(averaging) },
  adaptiveAvgPool: { size: perAxisKind },
  adaptiveMaxPool: { size: perAxisKind },
};

/* @__NO_SIDE_EFFECTS__ */
const pooling = <F extends Family>(family: F, rank: Rank): (new (...given: Calls[F]) => Pooling) =>
  imageLayer(Pooling, family, rank, parameters[family]);

/** Pooling over one dimension, as maxPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class MaxPool1d extends pooling("maxPool", 1) {}

/** Pooling over two dimensions, as maxPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class MaxPool2d extends pooling("maxPool", 2) {}

/** Pooling over three dimensions, as maxPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class MaxPool3d extends pooling("maxPool", 3) {}

/** Pooling over one dimension, as avgPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class AvgPool1d extends pooling("avgPool", 1) {}

/** Pooling over two dimensions, as avgPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class AvgPool2d extends pooling("avgPool", 2) {}

/** Pooling over three dimensions, as avgPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class AvgPool3d extends pooling("avgPool", 3) {}

/** Pooling over one dimension, as adaptiveAvgPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class AdaptiveAvgPool1d extends pooling("adaptiveAvgPool", 1) {}

/** Pooling over two dimensions, as adaptiveAvgPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class AdaptiveAvgPool2d extends pooling("adaptiveAvgPool", 2) {}

/** Pooling over three dimensions, as adaptiveAvgPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class AdaptiveAvgPool3d extends pooling("adaptiveAvgPool", 3) {}

/** Pooling over one dimension, as adaptiveMaxPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class AdaptiveMaxPool1d extends pooling("adaptiveMaxPool", 1) {}

/** Pooling over two dimensions, as adaptiveMaxPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class AdaptiveMaxPool2d extends pooling("adaptiveMaxPool", 2) {}

/** Pooling over three dimensions, as adaptiveMaxPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class AdaptiveMaxPool3d extends pooling("adaptiveMaxPool", 3) {}

/**
 * A layer of maxPool1d: the maximum over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.MaxPool1d
 * @example nn.maxPool1d(2).forward(zeros([2, 3, 8]))
 */
export const maxPool1d = /* @__PURE__ */ factoryOf(MaxPool1d);

/**
 * A layer of maxPool2d: the maximum over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.MaxPool2d
 * @example nn.maxPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export const maxPool2d = /* @__PURE__ */ factoryOf(MaxPool2d);

/**
 * A layer of maxPool3d: the maximum over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.MaxPool3d
 * @example nn.maxPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export const maxPool3d = /* @__PURE__ */ factoryOf(MaxPool3d);

/**
 * A layer of avgPool1d: the mean over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.AvgPool1d
 * @example nn.avgPool1d(2).forward(zeros([2, 3, 8]))
 */
export const avgPool1d = /* @__PURE__ */ factoryOf(AvgPool1d);

/**
 * A layer of avgPool2d: the mean over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.AvgPool2d
 * @example nn.avgPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export const avgPool2d = /* @__PURE__ */ factoryOf(AvgPool2d);

/**
 * A layer of avgPool3d: the mean over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.AvgPool3d
 * @example nn.avgPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export const avgPool3d = /* @__PURE__ */ factoryOf(AvgPool3d);

/**
 * A layer of adaptiveAvgPool1d: the mean over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveAvgPool1d
 * @example nn.adaptiveAvgPool1d(2).forward(zeros([2, 3, 8]))
 */
export const adaptiveAvgPool1d = /* @__PURE__ */ factoryOf(AdaptiveAvgPool1d);

/**
 * A layer of adaptiveAvgPool2d: the mean over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveAvgPool2d
 * @example nn.adaptiveAvgPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export const adaptiveAvgPool2d = /* @__PURE__ */ factoryOf(AdaptiveAvgPool2d);

/**
 * A layer of adaptiveAvgPool3d: the mean over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveAvgPool3d
 * @example nn.adaptiveAvgPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export const adaptiveAvgPool3d = /* @__PURE__ */ factoryOf(AdaptiveAvgPool3d);

/**
 * A layer of adaptiveMaxPool1d: the maximum over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveMaxPool1d
 * @example nn.adaptiveMaxPool1d(2).forward(zeros([2, 3, 8]))
 */
export const adaptiveMaxPool1d = /* @__PURE__ */ factoryOf(AdaptiveMaxPool1d);

/**
 * A layer of adaptiveMaxPool2d: the maximum over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveMaxPool2d
 * @example nn.adaptiveMaxPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export const adaptiveMaxPool2d = /* @__PURE__ */ factoryOf(AdaptiveMaxPool2d);

/**
 * A layer of adaptiveMaxPool3d: the maximum over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveMaxPool3d
 * @example nn.adaptiveMaxPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export const adaptiveMaxPool3d = /* @__PURE__ */ factoryOf(AdaptiveMaxPool3d);
