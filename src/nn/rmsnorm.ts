// Normalisation by the root of the mean square.
import { either, number, shape as shapeKind } from "../core/arguments.ts";
import { type Given, nonNegative } from "../core/options.ts";
import type { Shape } from "../core/shape.ts";
import type { Parameter } from "../program/variable.ts";
import { rmsNorm as apply } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { extentsOf, layerOptions } from "./check.ts";
import { checked, factoryOf } from "./layer.ts";
import { Norm } from "./norm.ts";

const record = layerOptions("rmsNorm", {
  /** Added to the mean square; 2⁻²³ unless given, as PyTorch's. */
  epsilon: nonNegative.default(2 ** -23),
});
export type RmsNormOptions = Given<typeof record>;
const call = record.call({ shape: either(number, shapeKind) });

/** x ÷ √(mean of x² + epsilon) over the last axes, times weight (ones at first), Zhang and Sennrich 2019. x: [..., ...shape] → the same. */
export class RmsNorm extends Norm {
  declare readonly weight: Parameter;

  constructor(shape: number | Shape, options: RmsNormOptions = {}) {
    const where = checked(call, arguments);
    super(where, { extents: extentsOf(where, shape), weight: true, bias: false, ...record.fill(options) });
  }

  protected override apply(inputs: Tensor): Tensor {
    return apply(inputs, this.weight, this.epsilon);
  }
}

/**
 * Normalises over the last axes, of the given extents, without centring: `torch.nn.RMSNorm`.
 * @torch torch.nn.RMSNorm
 * @example nn.rmsNorm(4).forward(zeros([2, 4]))
 */
export const rmsNorm = factoryOf(RmsNorm);
