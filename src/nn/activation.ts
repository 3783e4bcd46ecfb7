// Layers without parameters: one function each.
import { callable, checkArguments, type Kinds, signature, string } from "../core/arguments.ts";
import { ops } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkForward } from "./check.ts";
import { Module } from "./module.ts";

const call = signature("nn.Activation", { name: string, apply: callable });

/** A layer that applies one function to each element. */
export class Activation extends Module {
  readonly name: string;
  readonly #apply: (x: Tensor) => Tensor;

  constructor(name: string, apply: (x: Tensor) => Tensor) {
    checkArguments(call, arguments);
    super();
    this.name = name;
    this.#apply = apply;
  }

  override forward(inputs: Tensor): Tensor {
    checkForward(`nn.${this.name}`, arguments);
    return this.#apply(inputs);
  }

  protected override describe(): string {
    return `(${this.name})`;
  }
}

/** What makes a layer of the function of that name, with what comes after its tensor. */
// @__NO_SIDE_EFFECTS__
export function layer<Given extends readonly unknown[] = []>(
  name: string,
  apply: (x: Tensor, ...given: Given) => Tensor,
  parameters: Kinds = {},
) {
  const call = signature(
    `nn.${name}`,
    parameters,
    `it makes a layer: nn.${name}().forward(x); the function of a tensor is ${name}(x) at top level`,
  );
  return (...given: Given): Activation => {
    checkArguments(call, given);
    return new Activation(name, (x) => apply(x, ...given));
  };
}

/**
 * A layer of x < 0 ? 0 : x for each element. x: [...] float32 → the same.
 * @torch torch.nn.ReLU
 * @example nn.relu().forward(zeros([2, 3]))
 */
export const relu = layer("relu", ops.relu);
/**
 * A layer of the hyperbolic tangent of each element. x: [...] float32 → the same.
 * @torch torch.nn.Tanh
 * @example nn.tanh().forward(zeros([2, 3]))
 */
export const tanh = layer("tanh", ops.tanh);
/**
 * A layer of 1 ÷ (1 + e⁻ˣ) for each element. x: [...] float32 → the same.
 * @torch torch.nn.Sigmoid
 * @example nn.sigmoid().forward(zeros([2, 3]))
 */
export const sigmoid = layer("sigmoid", ops.sigmoid);
/**
 * A layer of ln(1 + eˣ). x: [...] float32 → the same.
 * @torch torch.nn.Softplus
 * @example nn.softplus().forward(zeros([2, 3]))
 */
export const softplus = layer("softplus", ops.softplus);
