// The affine layer.
import { options as optionsOf, signature } from "../core/arguments.ts";
import { Parameter } from "../program/variable.ts";
import { linear as apply, uniform } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { initial, type WeightOptions, weightKinds } from "./init.ts";
import { checked, extent, factoryOf, Layer } from "./layer.ts";

export interface LinearOptions extends WeightOptions {}

const call = signature("nn.linear", {
  inputs: extent,
  outputs: extent,
  "options?": optionsOf<LinearOptions>(weightKinds),
});

/** y = x·Wᵀ + b. x: [..., inputs] → [..., outputs]. weight: [outputs, inputs], bias: [outputs], both drawn from U(±1/√inputs), weight first, as PyTorch's, unless `init` gives the weight. */
export class Linear extends Layer {
  readonly weight: Parameter;
  readonly bias?: Parameter;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super(checked(call, arguments));
    const { bias = true, init } = options;
    const bound = 1 / Math.sqrt(inputs);
    const shape = [outputs, inputs];
    this.weight = new Parameter(init ? initial(this.where, init, shape) : uniform(shape, -bound, bound));
    if (bias) this.bias = new Parameter(uniform([outputs], -bound, bound));
  }

  protected override apply(inputs: Tensor): Tensor {
    return apply(inputs, this.weight, this.bias);
  }

  protected override describe(): string {
    const [outputs, inputs] = this.weight.shape;
    return `(${inputs} → ${outputs}${this.bias ? "" : ", no bias"})`;
  }
}

/**
 * A layer y = x·Wᵀ + b from `inputs` to `outputs` features. Throws ShapeError unless both are counts.
 * @torch torch.nn.Linear
 * @example nn.linear(4, 3).forward(zeros([2, 4]))
 */
export const linear = factoryOf(Linear);
