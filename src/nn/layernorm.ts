// Layer normalisation.
import { checkArguments, either, number, shape as shapeKind } from "../core/arguments.ts";
import { flag, type Given, nonNegative } from "../core/options.ts";
import type { Shape } from "../core/shape.ts";
import { Parameter } from "../program/variable.ts";
import { ones, zeros } from "../tensor/creation.ts";
import { layerNorm as apply } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkForward, extentsOf, layerOptions } from "./check.ts";
import { factoryOf, Module } from "./module.ts";

const record = layerOptions("layerNorm", {
  /** Added to the variance, ≥ 0; 1e-5 unless given. */
  epsilon: nonNegative.default(1e-5),
  /** Whether there is a bias; true unless given. */
  bias: flag.default(true),
});
export type LayerNormOptions = Given<typeof record>;

const call = record.call({ shape: either(number, shapeKind) });

/** (x − mean) ÷ √(variance + epsilon) over the last axes, times weight (ones at first) plus bias (zeros), Ba et al. 2016. x: [..., ...shape]. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly epsilon: number;

  constructor(shape: number | Shape, options: LayerNormOptions = {}) {
    checkArguments(call, arguments);
    super();
    const { epsilon, bias } = record.fill(options);
    const extents = extentsOf("layerNorm", shape);
    this.epsilon = epsilon;
    this.weight = new Parameter(ones(extents));
    if (bias) this.bias = new Parameter(zeros(extents));
  }

  override forward(inputs: Tensor): Tensor {
    checkForward("nn.layerNorm", arguments);
    return apply(inputs, this.weight, this.bias, this.epsilon);
  }

  protected override describe(): string {
    return `(${this.weight.shape.join(" × ")})`;
  }
}

/**
 * Normalises over the last axes, of the given extents.
 * @torch torch.nn.LayerNorm
 * @example nn.layerNorm(4).forward(zeros([2, 4]))
 */
export const layerNorm = factoryOf(LayerNorm);
