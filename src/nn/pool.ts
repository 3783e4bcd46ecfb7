// Layers of pooling over one, two and three dimensions. Images are [batch, channels, ...extents].
import {
  type Kind as ArgumentKind,
  boolean,
  checkArguments,
  options as optionsOf,
  type Signature,
  signature,
} from "../core/arguments.ts";
import type { AvgPoolOptions } from "../ops/pool.ts";
import { type PerAxis, perAxisKind, type WindowOptions } from "../ops/window.ts";
import { ops } from "../tensor/families/images.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkForward } from "./check.ts";
import { checkCounts } from "./conv.ts";
import { Module } from "./module.ts";

/** What a layer is made with: the windows' size, and the rest by name. */
export type MaxPoolCall = [size: PerAxis, options?: WindowOptions];
export type AvgPoolCall = [size: PerAxis, options?: AvgPoolOptions];
/** How many windows there are. */
export type AdaptivePoolCall = [size: PerAxis];

type Name = "maxPool" | "avgPool" | "adaptiveAvgPool" | "adaptiveMaxPool";

interface Kind {
  readonly name: string;
  readonly rank: number;
  readonly call: Signature;
}

const windows = { "stride?": perAxisKind, "padding?": perAxisKind } as const;
const optionKinds: Readonly<Record<Name, ArgumentKind | undefined>> = {
  maxPool: optionsOf<WindowOptions>({ ...windows, "dilation?": perAxisKind }),
  avgPool: optionsOf<AvgPoolOptions>({ ...windows, "countPadding?": boolean }),
  adaptiveAvgPool: undefined,
  adaptiveMaxPool: undefined,
};

function kindsOf(name: Name): Kind[] {
  const options = optionKinds[name];
  const parameters = { size: perAxisKind, ...(options ? { "options?": options } : {}) };
  const hint = options && "stride and padding go by name";
  return [1, 2, 3].map((rank) => ({
    name: `${name}${rank}d`,
    rank,
    call: signature(`nn.${name}${rank}d`, parameters, hint),
  }));
}

const [max, avg, adaptiveAvg, adaptiveMax] = (Object.keys(optionKinds) as Name[]).map(kindsOf);

/** What layers of pooling have in common: windows of `size` points, or as many windows, and the function's options. */
export abstract class Pooling extends Module {
  readonly size: PerAxis;
  readonly options?: WindowOptions | AvgPoolOptions;
  readonly #kind: Kind;

  constructor(kind: Kind, given: MaxPoolCall | AvgPoolCall | AdaptivePoolCall) {
    checkArguments(kind.call, given);
    super();
    const [size, options] = given;
    const { padding = 0, ...counts }: WindowOptions = options ?? {};
    const { stride = 1, dilation = 1 } = counts;
    checkCounts(kind.name, kind.rank, { size, stride, dilation }, 1);
    checkCounts(kind.name, kind.rank, { padding }, 0);
    this.size = size;
    if (options) this.options = options;
    this.#kind = kind;
  }

  override forward(inputs: Tensor): Tensor {
    checkForward(`nn.${this.#kind.name}`, arguments);
    const apply = ops[this.#kind.name as "maxPool2d"];
    return this.options ? apply(inputs, this.size, this.options) : apply(inputs, this.size);
  }

  protected override describe(): string {
    return `(${typeof this.size === "number" ? this.size : this.size.join(" × ")})`;
  }
}

/** Pooling over one dimension, as maxPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class MaxPool1d extends Pooling {
  constructor(...given: MaxPoolCall) {
    super(max[0], given);
  }
}

/** Pooling over two dimensions, as maxPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class MaxPool2d extends Pooling {
  constructor(...given: MaxPoolCall) {
    super(max[1], given);
  }
}

/** Pooling over three dimensions, as maxPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class MaxPool3d extends Pooling {
  constructor(...given: MaxPoolCall) {
    super(max[2], given);
  }
}

/** Pooling over one dimension, as avgPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class AvgPool1d extends Pooling {
  constructor(...given: AvgPoolCall) {
    super(avg[0], given);
  }
}

/** Pooling over two dimensions, as avgPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class AvgPool2d extends Pooling {
  constructor(...given: AvgPoolCall) {
    super(avg[1], given);
  }
}

/** Pooling over three dimensions, as avgPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class AvgPool3d extends Pooling {
  constructor(...given: AvgPoolCall) {
    super(avg[2], given);
  }
}

/** Pooling over one dimension, as adaptiveAvgPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class AdaptiveAvgPool1d extends Pooling {
  constructor(...given: AdaptivePoolCall) {
    super(adaptiveAvg[0], given);
  }
}

/** Pooling over two dimensions, as adaptiveAvgPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class AdaptiveAvgPool2d extends Pooling {
  constructor(...given: AdaptivePoolCall) {
    super(adaptiveAvg[1], given);
  }
}

/** Pooling over three dimensions, as adaptiveAvgPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class AdaptiveAvgPool3d extends Pooling {
  constructor(...given: AdaptivePoolCall) {
    super(adaptiveAvg[2], given);
  }
}

/** Pooling over one dimension, as adaptiveMaxPool1d's. x: [batch, channels, length] → [batch, channels, columns]. */
export class AdaptiveMaxPool1d extends Pooling {
  constructor(...given: AdaptivePoolCall) {
    super(adaptiveMax[0], given);
  }
}

/** Pooling over two dimensions, as adaptiveMaxPool2d's. x: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export class AdaptiveMaxPool2d extends Pooling {
  constructor(...given: AdaptivePoolCall) {
    super(adaptiveMax[1], given);
  }
}

/** Pooling over three dimensions, as adaptiveMaxPool3d's. x: [batch, channels, depth, height, width] → [batch, channels, layers, rows, columns]. */
export class AdaptiveMaxPool3d extends Pooling {
  constructor(...given: AdaptivePoolCall) {
    super(adaptiveMax[2], given);
  }
}

/**
 * A layer of maxPool1d: the maximum over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.MaxPool1d
 * @example nn.maxPool1d(2).forward(zeros([2, 3, 8]))
 */
export function maxPool1d(...given: MaxPoolCall): MaxPool1d {
  return new MaxPool1d(...given);
}

/**
 * A layer of maxPool2d: the maximum over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.MaxPool2d
 * @example nn.maxPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export function maxPool2d(...given: MaxPoolCall): MaxPool2d {
  return new MaxPool2d(...given);
}

/**
 * A layer of maxPool3d: the maximum over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.MaxPool3d
 * @example nn.maxPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export function maxPool3d(...given: MaxPoolCall): MaxPool3d {
  return new MaxPool3d(...given);
}

/**
 * A layer of avgPool1d: the mean over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.AvgPool1d
 * @example nn.avgPool1d(2).forward(zeros([2, 3, 8]))
 */
export function avgPool1d(...given: AvgPoolCall): AvgPool1d {
  return new AvgPool1d(...given);
}

/**
 * A layer of avgPool2d: the mean over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.AvgPool2d
 * @example nn.avgPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export function avgPool2d(...given: AvgPoolCall): AvgPool2d {
  return new AvgPool2d(...given);
}

/**
 * A layer of avgPool3d: the mean over windows of `size` points; options as the op's. Throws ShapeError.
 * @torch torch.nn.AvgPool3d
 * @example nn.avgPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export function avgPool3d(...given: AvgPoolCall): AvgPool3d {
  return new AvgPool3d(...given);
}

/**
 * A layer of adaptiveAvgPool1d: the mean over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveAvgPool1d
 * @example nn.adaptiveAvgPool1d(2).forward(zeros([2, 3, 8]))
 */
export function adaptiveAvgPool1d(...given: AdaptivePoolCall): AdaptiveAvgPool1d {
  return new AdaptiveAvgPool1d(...given);
}

/**
 * A layer of adaptiveAvgPool2d: the mean over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveAvgPool2d
 * @example nn.adaptiveAvgPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export function adaptiveAvgPool2d(...given: AdaptivePoolCall): AdaptiveAvgPool2d {
  return new AdaptiveAvgPool2d(...given);
}

/**
 * A layer of adaptiveAvgPool3d: the mean over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveAvgPool3d
 * @example nn.adaptiveAvgPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export function adaptiveAvgPool3d(...given: AdaptivePoolCall): AdaptiveAvgPool3d {
  return new AdaptiveAvgPool3d(...given);
}

/**
 * A layer of adaptiveMaxPool1d: the maximum over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveMaxPool1d
 * @example nn.adaptiveMaxPool1d(2).forward(zeros([2, 3, 8]))
 */
export function adaptiveMaxPool1d(...given: AdaptivePoolCall): AdaptiveMaxPool1d {
  return new AdaptiveMaxPool1d(...given);
}

/**
 * A layer of adaptiveMaxPool2d: the maximum over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveMaxPool2d
 * @example nn.adaptiveMaxPool2d(2).forward(zeros([2, 3, 8, 8]))
 */
export function adaptiveMaxPool2d(...given: AdaptivePoolCall): AdaptiveMaxPool2d {
  return new AdaptiveMaxPool2d(...given);
}

/**
 * A layer of adaptiveMaxPool3d: the maximum over as many windows as `size` says. Throws ShapeError.
 * @torch torch.nn.AdaptiveMaxPool3d
 * @example nn.adaptiveMaxPool3d(2).forward(zeros([2, 3, 4, 4, 4]))
 */
export function adaptiveMaxPool3d(...given: AdaptivePoolCall): AdaptiveMaxPool3d {
  return new AdaptiveMaxPool3d(...given);
}
