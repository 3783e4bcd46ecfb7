// Layer normalisation.
import type { Shape } from "../core/shape.ts";
import { layerNorm as apply, ones, zeros } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Parameter } from "../tensor/variable.ts";
import { checkCount } from "./check.ts";
import { Module } from "./module.ts";

/** (x − mean) ÷ √(variance + epsilon) over the last axes, times weight (ones at first) plus bias (zeros), Ba et al. 2016. x: [..., ...shape]. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly epsilon: number;

  constructor(
    shape: number | Shape,
    { epsilon = 1e-5, bias = true }: { readonly epsilon?: number; readonly bias?: boolean } = {},
  ) {
    super();
    const extents = typeof shape === "number" ? [shape] : shape;
    for (const extent of extents) checkCount("layerNorm", "an extent", extent);
    this.epsilon = epsilon;
    this.weight = new Parameter(ones(extents));
    if (bias) this.bias = new Parameter(zeros(extents));
  }

  override forward(inputs: Tensor): Tensor {
    return apply(inputs, this.weight, this.bias, this.epsilon);
  }

  protected override describe(): string {
    return `(${this.weight.shape.join(" × ")})`;
  }
}

/** Normalises over the last axes, of the given extents. */
export function layerNorm(
  shape: number | Shape,
  options: { readonly epsilon?: number; readonly bias?: boolean } = {},
): LayerNorm {
  return new LayerNorm(shape, options);
}
