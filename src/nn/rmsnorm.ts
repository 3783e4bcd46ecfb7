// Normalisation by the root of the mean square.
import { checkArguments, either, number, shape as shapeKind } from "../core/arguments.ts";
import { type Given, nonNegative } from "../core/options.ts";
import type { Shape } from "../core/shape.ts";
import { Parameter } from "../program/variable.ts";
import { ones } from "../tensor/creation.ts";
import { rmsNorm as apply } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkForward, extentsOf, layerOptions } from "./check.ts";
import { factoryOf, Module } from "./module.ts";

const record = layerOptions("rmsNorm", {
  /** Added to the mean square; 2⁻²³ unless given, as PyTorch's. */
  epsilon: nonNegative.default(2 ** -23),
});
export type RmsNormOptions = Given<typeof record>;
const call = record.call({ shape: either(number, shapeKind) });

/** x ÷ √(mean of x² + epsilon) over the last axes, times weight (ones at first), Zhang and Sennrich 2019. x: [..., ...shape] → the same. */
export class RmsNorm extends Module {
  readonly weight: Parameter;
  readonly epsilon: number;

  constructor(shape: number | Shape, options: RmsNormOptions = {}) {
    checkArguments(call, arguments);
    super();
    const extents = extentsOf("rmsNorm", shape);
    this.epsilon = record.fill(options).epsilon;
    this.weight = new Parameter(ones(extents));
  }

  override forward(inputs: Tensor): Tensor {
    checkForward("nn.rmsNorm", arguments);
    return apply(inputs, this.weight, this.epsilon);
  }

  protected override describe(): string {
    return `(${this.weight.shape.join(" × ")})`;
  }
}

/**
 * Normalises over the last axes, of the given extents, without centring: `torch.nn.RMSNorm`.
 * @torch torch.nn.RMSNorm
 * @example nn.rmsNorm(4).forward(zeros([2, 4]))
 */
export const rmsNorm = factoryOf(RmsNorm);
