// Layer normalisation.
import { either, number, shape as shapeKind } from "../core/arguments.ts";
import { flag, type Given, nonNegative } from "../core/options.ts";
import type { Shape } from "../core/shape.ts";
import type { Parameter } from "../program/variable.ts";
import { layerNorm as apply } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { extentsOf, layerOptions } from "./check.ts";
import { checked, factoryOf } from "./layer.ts";
import { Norm } from "./norm.ts";

const record = layerOptions("layerNorm", {
  /** Added to the variance, ≥ 0; 1e-5 unless given. */
  epsilon: nonNegative.default(1e-5),
  /** Whether there is a bias; true unless given. */
  bias: flag.default(true),
});
export type LayerNormOptions = Given<typeof record>;

const call = record.call({ shape: either(number, shapeKind) });

/** (x − mean) ÷ √(variance + epsilon) over the last axes, times weight (ones at first) plus bias (zeros), Ba et al. 2016. x: [..., ...shape]. */
export class LayerNorm extends Norm {
  declare readonly weight: Parameter;

  constructor(shape: number | Shape, options: LayerNormOptions = {}) {
    const where = checked(call, arguments);
    super(where, { extents: extentsOf(where, shape), weight: true, ...record.fill(options) });
  }

  protected override apply(inputs: Tensor): Tensor {
    return apply(inputs, this.weight, this.bias, this.epsilon);
  }
}

/**
 * Normalises over the last axes, of the given extents.
 * @torch torch.nn.LayerNorm
 * @example nn.layerNorm(4).forward(zeros([2, 4]))
 */
export const layerNorm = factoryOf(LayerNorm);
