// Layers of convolutions, and of transposed ones, over one, two and three dimensions. Images are [batch, channels, ...extents].
import { number, options as optionsOf } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { checkCount, sizeOf } from "../core/shape.ts";
import type { ConvOptions as ApplyOptions, ConvTransposeOptions as TransposeOptions } from "../ops/conv.ts";
import { type PerAxis, paddingKind, perAxis, perAxisKind } from "../ops/per-axis.ts";
import { windowSpec } from "../ops/window.ts";
import { Parameter } from "../program/variable.ts";
import { uniform } from "../tensor/families/basic.ts";
import { ops } from "../tensor/families/images.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { across } from "./check.ts";
import { type ImageOp, imageLayer, type Rank } from "./images.ts";
import { initial, type WeightOptions, weightKinds } from "./init.ts";
import { checked, factoryOf, Layer } from "./layer.ts";

export interface ConvOptions extends ApplyOptions, WeightOptions {}
export interface ConvTransposeOptions extends TransposeOptions, WeightOptions {}

/** What a layer is made with: channels in and out, the filters' size, and the rest by name. */
export type ConvCall = [inputs: number, outputs: number, size: PerAxis, options?: ConvOptions];
export type ConvTransposeCall = [inputs: number, outputs: number, size: PerAxis, options?: ConvTransposeOptions];

type Op = ImageOp<"conv" | "convTranspose">;
type Apply = (x: Tensor, weight: Tensor, bias: Tensor | undefined, options: object) => Tensor;

/** What layers of convolutions have in common: `weight` as the op's, `bias`: [outputs], both from U(±1/√fan-in), weight first, as PyTorch's. */
export abstract class Convolution extends Layer {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly stride: PerAxis;
  readonly padding: PerAxis | "same" | "valid";
  readonly dilation: PerAxis;
  readonly groups: number;
  readonly outputPadding?: PerAxis;
  readonly #op: Op;

  constructor(op: Op, given: ConvCall | ConvTransposeCall) {
    const where = checked(op.call, given);
    super(where);
    const { rank } = op;
    const [inputs, outputs, size, options = {}] = given;
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, init }: ConvOptions = options;
    const { outputPadding }: ConvTransposeOptions = options as ConvTransposeOptions;
    for (const [what, value] of Object.entries({ inputs, outputs, groups })) checkCount(where, what, value);
    const points = typeof padding === "string" ? 0 : padding;
    const { size: sizes } = windowSpec(where, rank, size, { stride, dilation, padding: points });
    perAxis(where, "outputPadding", outputPadding ?? 0, rank, 0);
    if (inputs % groups !== 0 || outputs % groups !== 0) {
      const got = `${inputs} → ${outputs}, groups ${groups}`;
      refuse(ShapeError, where, "channels don't divide into groups", got, "a divisor of both");
    }
    const [first, second] = op.family === "conv" ? [outputs, inputs / groups] : [inputs, outputs / groups];
    const bound = 1 / Math.sqrt(second * sizeOf(sizes));
    const shape = [first, second, ...sizes];
    this.weight = new Parameter(init ? initial(where, init, shape) : uniform(shape, -bound, bound));
    if (bias) this.bias = new Parameter(uniform([outputs], -bound, bound));
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.groups = groups;
    if (outputPadding !== undefined) this.outputPadding = outputPadding;
    this.#op = op;
  }

  protected override apply(inputs: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups, outputPadding } = this;
    const apply = ops[this.#op.name] as Apply;
    const own = outputPadding === undefined ? {} : { outputPadding };
    return apply(inputs, weight, bias, { stride, padding, dilation, groups, ...own });
  }

  protected override describe(): string {
    const [first, second, ...size] = this.weight.shape;
    const [inputs, outputs] =
      this.#op.family === "conv" ? [second * this.groups, first] : [first, second * this.groups];
    const words = [`stride ${across(this.stride)}`, `padding ${across(this.padding)}`];
    if (this.dilation !== 1) words.push(`dilation ${across(this.dilation)}`);
    if (this.groups !== 1) words.push(`groups ${this.groups}`);
    if (this.outputPadding !== undefined) words.push(`output padding ${across(this.outputPadding)}`);
    if (!this.bias) words.push("no bias");
    return `(${inputs} → ${outputs}, ${size.join(" × ")}, ${words.join(", ")})`;
  }
}

const shared = { "stride?": perAxisKind, "dilation?": perAxisKind, "groups?": number, ...weightKinds };
const conv = optionsOf<ConvOptions>({ ...shared, "padding?": paddingKind });
const transposed = optionsOf<ConvTransposeOptions>({
  ...shared,
  "padding?": perAxisKind,
  "outputPadding?": perAxisKind,
});
const parameters = { inputs: number, outputs: number, size: perAxisKind };

/* @__NO_SIDE_EFFECTS__ */
const convolution = (rank: Rank): (new (...given: ConvCall) => Convolution) =>
  imageLayer(Convolution, "conv", rank, { ...parameters, "options?": conv });
/* @__NO_SIDE_EFFECTS__ */
const transposition = (rank: Rank): (new (...given: ConvTransposeCall) => Convolution) =>
  imageLayer(Convolution, "convTranspose", rank, { ...parameters, "options?": transposed });

/** A convolution over one dimension. x: [batch, inputs, length] → [batch, outputs, columns]. weight: [outputs, inputs ÷ groups, size]. */
export class Conv1d extends convolution(1) {}

/** A convolution over two dimensions. x: [batch, inputs, height, width] → [batch, outputs, rows, columns]. weight: [outputs, inputs ÷ groups, down, across]. */
export class Conv2d extends convolution(2) {}

/** A convolution over three dimensions. x: [batch, inputs, depth, height, width] → [batch, outputs, …]. weight: [outputs, inputs ÷ groups, deep, down, across]. */
export class Conv3d extends convolution(3) {}

/** A transposed convolution over one dimension. x: [batch, inputs, length] → [batch, outputs, columns]. weight: [inputs, outputs ÷ groups, size]. */
export class ConvTranspose1d extends transposition(1) {}

/** A transposed convolution over two dimensions. x: [batch, inputs, height, width] → [batch, outputs, rows, columns]. weight: [inputs, outputs ÷ groups, down, across]. */
export class ConvTranspose2d extends transposition(2) {}

/** A transposed convolution over three dimensions. x: [batch, inputs, depth, height, width] → [batch, outputs, …]. weight: [inputs, outputs ÷ groups, deep, down, across]. */
export class ConvTranspose3d extends transposition(3) {}

/**
 * A layer of conv1d, from `inputs` to `outputs` channels with filters of `size` points. Throws ShapeError.
 * @torch torch.nn.Conv1d
 * @example nn.conv1d(3, 4, 3).forward(zeros([2, 3, 8]))
 */
export const conv1d = /* @__PURE__ */ factoryOf(Conv1d);

/**
 * A layer of conv2d, from `inputs` to `outputs` channels with filters of `size` points down and across. Throws ShapeError.
 * @torch torch.nn.Conv2d
 * @example nn.conv2d(3, 4, 3).forward(zeros([2, 3, 8, 8]))
 */
export const conv2d = /* @__PURE__ */ factoryOf(Conv2d);

/**
 * A layer of conv3d, from `inputs` to `outputs` channels with filters of `size` points along each axis. Throws ShapeError.
 * @torch torch.nn.Conv3d
 * @example nn.conv3d(3, 4, 3).forward(zeros([2, 3, 4, 4, 4]))
 */
export const conv3d = /* @__PURE__ */ factoryOf(Conv3d);

/**
 * A layer of convTranspose1d, from `inputs` to `outputs` channels with filters of `size` points. Throws ShapeError.
 * @torch torch.nn.ConvTranspose1d
 * @example nn.convTranspose1d(3, 4, 2).forward(zeros([2, 3, 8]))
 */
export const convTranspose1d = /* @__PURE__ */ factoryOf(ConvTranspose1d);

/**
 * A layer of convTranspose2d, from `inputs` to `outputs` channels with filters of `size` points down and across. Throws ShapeError.
 * @torch torch.nn.ConvTranspose2d
 * @example nn.convTranspose2d(3, 4, 2).forward(zeros([2, 3, 8, 8]))
 */
export const convTranspose2d = /* @__PURE__ */ factoryOf(ConvTranspose2d);

/**
 * A layer of convTranspose3d, from `inputs` to `outputs` channels with filters of `size` points along each axis. Throws ShapeError.
 * @torch torch.nn.ConvTranspose3d
 * @example nn.convTranspose3d(3, 4, 2).forward(zeros([2, 3, 4, 4, 4]))
 */
export const convTranspose3d = /* @__PURE__ */ factoryOf(ConvTranspose3d);
