// Layers without parameters: one function each.
import {
  gelu as applyGelu,
  relu as applyRelu,
  sigmoid as applySigmoid,
  tanh as applyTanh,
} from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

/** A layer that applies one function to each element. */
export class Activation extends Module {
  readonly name: string;
  readonly #apply: (x: Tensor) => Tensor;

  constructor(name: string, apply: (x: Tensor) => Tensor) {
    super();
    this.name = name;
    this.#apply = apply;
  }

  override forward(inputs: Tensor): Tensor {
    return this.#apply(inputs);
  }

  protected override describe(): string {
    return `(${this.name})`;
  }
}

/** x < 0 ? 0 : x. */
export const relu = () => new Activation("relu", (x) => applyRelu(x));
/** x·Φ(x), the exact form. */
export const gelu = () => new Activation("gelu", (x) => applyGelu(x));
/** Hyperbolic tangent. */
export const tanh = () => new Activation("tanh", (x) => applyTanh(x));
/** 1 ÷ (1 + e⁻ˣ). */
export const sigmoid = () => new Activation("sigmoid", (x) => applySigmoid(x));
