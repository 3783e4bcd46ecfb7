// The affine layer.
import { boolean, checkArguments, number, options as optionsOf, signature } from "../core/arguments.ts";
import { Parameter } from "../program/variable.ts";
import { linear as apply, uniform } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkCounts, checkForward } from "./check.ts";
import { type Init, initial, initKind } from "./init.ts";
import { factoryOf, Module } from "./module.ts";

export interface LinearOptions {
  /** Whether b is added; true unless given. */
  readonly bias?: boolean;
  /** How the weight begins: a name, as kaiming_normal, or a function of its shape. U(±1/√inputs) unless given. */
  readonly init?: Init;
}

const call = signature("nn.linear", {
  inputs: number,
  outputs: number,
  "options?": optionsOf<LinearOptions>({ "bias?": boolean, "init?": initKind }),
});

/** y = x·Wᵀ + b. x: [..., inputs] → [..., outputs]. weight: [outputs, inputs], bias: [outputs], both drawn from U(±1/√inputs), weight first, as PyTorch's, unless `init` gives the weight. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    checkArguments(call, arguments);
    super();
    const { bias = true, init } = options;
    checkCounts("linear", { inputs, outputs });
    const bound = 1 / Math.sqrt(inputs);
    const shape = [outputs, inputs];
    this.weight = new Parameter(init ? initial("nn.linear", init, shape) : uniform(shape, -bound, bound));
    if (bias) this.bias = new Parameter(uniform([outputs], -bound, bound));
  }

  override forward(inputs: Tensor): Tensor {
    checkForward("nn.linear", arguments);
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
