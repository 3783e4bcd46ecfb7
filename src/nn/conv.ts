// Layers over images: convolution, pooling, and the way there and back from flat samples.
import {
  boolean,
  checkArguments,
  number,
  options as optionsOf,
  shape as shapeKind,
  signature,
} from "../core/arguments.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";
import type { WindowOptions } from "../ops/conv.ts";
import { Parameter } from "../program/variable.ts";
import { conv2d as applyConv2d, maxPool2d as applyMaxPool2d, reshape, uniform } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkCount, checkForward } from "./check.ts";
import { type Init, initial, initKind } from "./init.ts";
import { Module } from "./module.ts";

export interface Conv2dOptions extends WindowOptions {
  readonly bias?: boolean;
  /** How the weight begins: a name, as kaiming_normal, or a function of its shape. U(±1/√(inputs·size²)) unless given. */
  readonly init?: Init;
}

const byName = "stride and padding go by name";
const convCall = signature(
  "nn.conv2d",
  {
    inputs: number,
    outputs: number,
    size: number,
    "options?": optionsOf<Conv2dOptions>({
      "stride?": number,
      "padding?": number,
      "bias?": boolean,
      "init?": initKind,
    }),
  },
  byName,
);
const poolCall = signature(
  "nn.maxPool2d",
  { size: number, "options?": optionsOf<WindowOptions>({ "stride?": number, "padding?": number }) },
  byName,
);
const flattenCall = signature("nn.flatten", {});
const unflattenCall = signature(
  "nn.unflatten",
  { shape: shapeKind },
  "the shape is one list: nn.unflatten([1, 28, 28])",
);
const shapeCall = signature("nn.SampleShape", { "shape?": shapeKind });

/** Cross-correlation with square filters. x: [batch, inputs, height, width] → [batch, outputs, rows, columns]. weight: [outputs, inputs, size, size], bias: [outputs], both from U(±1/√(inputs·size²)), weight first, as PyTorch's. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly stride: number;
  readonly padding: number;

  constructor(inputs: number, outputs: number, size: number, options: Conv2dOptions = {}) {
    checkArguments(convCall, arguments);
    super();
    const { stride = 1, padding = 0, bias = true, init } = options;
    for (const [what, value] of Object.entries({ inputs, outputs, size, stride })) checkCount("conv2d", what, value);
    if (padding !== 0) checkCount("conv2d", "padding", padding);
    const bound = 1 / Math.sqrt(inputs * size * size);
    const shape = [outputs, inputs, size, size];
    this.weight = new Parameter(init ? initial("nn.conv2d", init, shape) : uniform(shape, -bound, bound));
    if (bias) this.bias = new Parameter(uniform([outputs], -bound, bound));
    this.stride = stride;
    this.padding = padding;
  }

  override forward(inputs: Tensor): Tensor {
    checkForward("nn.conv2d", arguments);
    const { weight, bias, stride, padding } = this;
    return applyConv2d(inputs, weight, bias, { stride, padding });
  }

  protected override describe(): string {
    const [outputs, inputs, size] = this.weight.shape;
    return `(${inputs} → ${outputs}, ${size} × ${size}, stride ${this.stride}, padding ${this.padding}${this.bias ? "" : ", no bias"})`;
  }
}

/** A convolution from `inputs` to `outputs` channels with filters of `size` points down and across. Throws ShapeError. */
export function conv2d(inputs: number, outputs: number, size: number, options: Conv2dOptions = {}): Conv2d {
  checkArguments(convCall, arguments);
  return new Conv2d(inputs, outputs, size, options);
}

/** The largest of each window. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class MaxPool2d extends Module {
  readonly size: number;
  readonly options: WindowOptions;

  constructor(size: number, options: WindowOptions = {}) {
    checkArguments(poolCall, arguments);
    super();
    checkCount("maxPool2d", "size", size);
    if (options.stride !== undefined) checkCount("maxPool2d", "stride", options.stride);
    if (options.padding !== undefined && options.padding !== 0) checkCount("maxPool2d", "padding", options.padding);
    this.size = size;
    this.options = options;
  }

  override forward(inputs: Tensor): Tensor {
    checkForward("nn.maxPool2d", arguments);
    return applyMaxPool2d(inputs, this.size, this.options);
  }

  protected override describe(): string {
    return `(${this.size})`;
  }
}

/** Pooling by the maximum over windows of `size` points down and across, `stride` (the size unless given) apart. */
export function maxPool2d(size: number, options: WindowOptions = {}): MaxPool2d {
  checkArguments(poolCall, arguments);
  return new MaxPool2d(size, options);
}

/** Gives each sample another shape. x: [batch, ...] → [batch, ...shape]. */
export class SampleShape extends Module {
  readonly shape: Shape | undefined;

  /** Without a shape: one axis. */
  constructor(shape?: Shape) {
    checkArguments(shapeCall, arguments);
    super();
    for (const extent of shape ?? []) checkCount("unflatten", "an extent", extent);
    this.shape = shape;
  }

  override forward(inputs: Tensor): Tensor {
    checkForward(this.shape ? "nn.unflatten" : "nn.flatten", arguments);
    const [batch, ...rest] = inputs.shape;
    const shape = this.shape ?? [sizeOf(rest)];
    if (inputs.rank === 0 || sizeOf(rest) !== sizeOf(shape)) {
      throw new ShapeError({
        where: this.shape ? "nn.unflatten" : "nn.flatten",
        problem: "samples of another size",
        got: formatShape(inputs.shape),
        expected: `[batch, …] with ${sizeOf(shape)} elements a sample`,
      });
    }
    return reshape(inputs, [batch, ...shape]);
  }

  protected override describe(): string {
    return this.shape ? `(${this.shape.join(" × ")})` : "";
  }
}

/** Each sample on one axis: [batch, ...] → [batch, elements]. */
export function flatten(): SampleShape {
  checkArguments(flattenCall, arguments);
  return new SampleShape();
}

/** Each sample in the given shape: [batch, elements] → [batch, ...shape]. Throws ShapeError where the elements are more or fewer. */
export function unflatten(shape: Shape): SampleShape {
  checkArguments(unflattenCall, arguments);
  return new SampleShape(shape);
}
