// Layers without parameters that apply one function, those of the basic family of ops among them.
import { callable, checkArguments, checkNone, type Kinds, signature, string } from "../core/arguments.ts";
import { ops } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Layer } from "./layer.ts";

const call = signature("nn.Activation", { name: string, apply: callable });
const lambdaCall = signature("nn.lambda", { apply: callable });

/** A layer that applies one function to each element. */
export class Activation extends Layer {
  readonly name: string;
  readonly #function: (x: Tensor) => Tensor;

  constructor(name: string, apply: (x: Tensor) => Tensor) {
    checkArguments(call, arguments);
    super(`nn.${name}`);
    this.name = name;
    this.#function = apply;
  }

  protected override apply(inputs: Tensor): Tensor {
    return this.#function(inputs);
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
  const hint = `it makes a layer: nn.${name}().forward(x); the function of a tensor is ${name}(x) at top level`;
  const call = signature(`nn.${name}`, parameters, hint);
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

/**
 * A layer that gives what it is given. x: [...] → the same.
 * @torch torch.nn.Identity
 * @example nn.identity().forward(zeros([2, 3]))
 * @golden none: it computes nothing
 */
export function identity(): Activation {
  checkNone("nn.identity", arguments);
  return new Activation("identity", (x) => x);
}

/**
 * A function of a tensor as a layer without parameters: `nn.lambda((x) => x.square())`.
 * @torch none: a Module with a forward
 * @example nn.lambda((x) => x.square()).forward(zeros([2, 3]))
 * @golden none: it computes what it is given
 */
export function lambda(apply: (x: Tensor) => Tensor): Activation {
  checkArguments(lambdaCall, arguments);
  return new Activation("lambda", apply);
}
