// Layer normalisation.
import {
  boolean,
  checkArguments,
  either,
  number,
  options as optionsOf,
  shape as shapeKind,
  signature,
} from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import type { Shape } from "../core/shape.ts";
import { Parameter } from "../program/variable.ts";
import { ones, zeros } from "../tensor/creation.ts";
import { layerNorm as apply } from "../tensor/families/normalization.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkForward, extentsOf } from "./check.ts";
import { factoryOf, Module } from "./module.ts";

export interface LayerNormOptions {
  /** Added to the variance, ≥ 0; 1e-5 unless given. */
  readonly epsilon?: number;
  /** Whether a bias is added; true unless given. */
  readonly bias?: boolean;
}

const call = signature("nn.layerNorm", {
  shape: either(number, shapeKind),
  "options?": optionsOf<LayerNormOptions>({ "epsilon?": number, "bias?": boolean }),
});

/** (x − mean) ÷ √(variance + epsilon) over the last axes, times weight (ones at first) plus bias (zeros), Ba et al. 2016. x: [..., ...shape]. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly epsilon: number;

  constructor(shape: number | Shape, options: LayerNormOptions = {}) {
    checkArguments(call, arguments);
    super();
    const { epsilon = 1e-5, bias = true } = options;
    if (!(epsilon >= 0 && epsilon < Infinity))
      refuse(ShapeError, "nn.layerNorm", "epsilon is out of range", epsilon, "a number ≥ 0");
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
