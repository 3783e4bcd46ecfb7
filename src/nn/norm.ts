// What layers that normalise have in common, and those that normalise over the last axes. The layers of channels are channelnorm.ts's.
import { either, number, shape as shapeKind } from "../core/arguments.ts";
import { flag, type Given, nonNegative } from "../core/options.ts";
import { checkCount, type Shape } from "../core/shape.ts";
import { Parameter } from "../program/variable.ts";
import { ones, zeros } from "../tensor/creation.ts";
import * as functions from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checked, factoryOf, Layer, layerOptions } from "./layer.ts";

/** What is added to the variance, whether there are a weight and a bias, and whether a bias beside a weight. */
interface NormOptions {
  readonly epsilon: number;
  readonly affine?: boolean;
  readonly bias?: boolean;
}

/** A layer that normalises: `weight`, ones at first, multiplies and `bias`, zeros, is added, where it has them; of these extents both. */
export abstract class Norm extends Layer {
  readonly weight?: Parameter;
  readonly bias?: Parameter;
  readonly epsilon: number;

  constructor(where: string, extents: Shape, { epsilon, affine = true, bias = affine }: NormOptions) {
    super(where);
    this.epsilon = epsilon;
    if (affine) this.weight = new Parameter(ones(extents));
    if (bias) this.bias = new Parameter(zeros(extents));
  }

  protected override describe(): string {
    return `(${this.weight?.shape.join(" × ")})`;
  }
}

const parameters = { shape: either(number, shapeKind) };

/** The extents of the weights, checked. */
function extentsOf(where: string, shape: number | Shape): Shape {
  const extents = typeof shape === "number" ? [shape] : shape;
  for (const extent of extents) checkCount(where, "an extent", extent);
  return extents;
}

const layerRecord = layerOptions("layerNorm", {
  /** Added to the variance, ≥ 0; 1e-5 unless given. */
  epsilon: nonNegative.default(1e-5),
  /** Whether there is a bias; true unless given. */
  bias: flag.default(true),
});
export type LayerNormOptions = Given<typeof layerRecord>;

const layerCall = /* @__PURE__ */ layerRecord.call(parameters);

/** (x − mean) ÷ √(variance + epsilon) over the last axes, times weight (ones at first) plus bias (zeros), Ba et al. 2016. x: [..., ...shape]. */
export class LayerNorm extends Norm {
  declare readonly weight: Parameter;

  constructor(shape: number | Shape, options: LayerNormOptions = {}) {
    const where = checked(layerCall, arguments);
    super(where, extentsOf(where, shape), layerRecord.fill(options));
  }

  protected override apply(inputs: Tensor): Tensor {
    return functions.layerNorm(inputs, this.weight, this.bias, this.epsilon);
  }
}

/**
 * Normalises over the last axes, of the given extents.
 * @torch torch.nn.LayerNorm
 * @example nn.layerNorm(4).forward(zeros([2, 4]))
 */
export const layerNorm = /* @__PURE__ */ factoryOf(LayerNorm);

const rmsRecord = layerOptions("rmsNorm", {
  /** Added to the mean square; 2⁻²³ unless given, as PyTorch's. */
  epsilon: nonNegative.default(2 ** -23),
});
export type RmsNormOptions = Given<typeof rmsRecord>;
const rmsCall = /* @__PURE__ */ rmsRecord.call(parameters);

/** x ÷ √(mean of x² + epsilon) over the last axes, times weight (ones at first), Zhang and Sennrich 2019. x: [..., ...shape] → the same. */
export class RmsNorm extends Norm {
  declare readonly weight: Parameter;

  constructor(shape: number | Shape, options: RmsNormOptions = {}) {
    const where = checked(rmsCall, arguments);
    super(where, extentsOf(where, shape), { ...rmsRecord.fill(options), bias: false });
  }

  protected override apply(inputs: Tensor): Tensor {
    return functions.rmsNorm(inputs, this.weight, this.epsilon);
  }
}

/**
 * Normalises over the last axes, of the given extents, without centring: `torch.nn.RMSNorm`.
 * @torch torch.nn.RMSNorm
 * @example nn.rmsNorm(4).forward(zeros([2, 4]))
 */
export const rmsNorm = /* @__PURE__ */ factoryOf(RmsNorm);
