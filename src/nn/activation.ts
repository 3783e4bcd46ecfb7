// Layers without parameters: one function each.
import { callable, checkArguments, signature, string } from "../core/arguments.ts";
import {
  gelu as applyGelu,
  relu as applyRelu,
  sigmoid as applySigmoid,
  tanh as applyTanh,
} from "../tensor/functions.ts";
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

const none = (name: string) =>
  signature(
    `nn.${name}`,
    {},
    `it makes a layer: nn.${name}().forward(x); the function of a tensor is ${name}(x) at top level`,
  );
const calls = { relu: none("relu"), gelu: none("gelu"), tanh: none("tanh"), sigmoid: none("sigmoid") };

/** A layer of x < 0 ? 0 : x for each element. x: [...] float32 → the same. */
export function relu(): Activation {
  checkArguments(calls.relu, arguments);
  return new Activation("relu", (x) => applyRelu(x));
}

/** A layer of x·Φ(x), the exact form, for each element. x: [...] float32 → the same. */
export function gelu(): Activation {
  checkArguments(calls.gelu, arguments);
  return new Activation("gelu", (x) => applyGelu(x));
}

/** A layer of the hyperbolic tangent of each element. x: [...] float32 → the same. */
export function tanh(): Activation {
  checkArguments(calls.tanh, arguments);
  return new Activation("tanh", (x) => applyTanh(x));
}

/** A layer of 1 ÷ (1 + e⁻ˣ) for each element. x: [...] float32 → the same. */
export function sigmoid(): Activation {
  checkArguments(calls.sigmoid, arguments);
  return new Activation("sigmoid", (x) => applySigmoid(x));
}
