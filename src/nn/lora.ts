// The layer of low-rank adaptation (Hu et al. 2021): a linear layer that keeps its weights, and beside them a product of two thin matrices that is trained.
import { checkNone, count, kind, real, signature } from "../core/arguments.ts";
import { Parameter } from "../program/variable.ts";
import { zeros } from "../tensor/creation.ts";
import { linear, matmul, uniform } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checked, Layer } from "./layer.ts";
import { Linear } from "./linear.ts";
import { deepest, itemsOf, Module } from "./module.ts";

const layerCall = signature("LoraLinear", {
  layer: kind("a linear layer", (value) => value instanceof Linear),
  rank: kind("a number of columns, an integer ≥ 1", (value) => count.accepts(value) && value !== 0),
  scale: real,
});

/** y = x·Wᵀ + b + (x·Aᵀ)·Bᵀ·scale, W and b of the layer it stands for. loraA: [rank, inputs] from U(±1/√inputs), loraB: [outputs, rank], zeros at first. */
export class LoraLinear extends Layer {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  readonly loraA: Parameter;
  readonly loraB: Parameter;
  readonly #scale: number;

  constructor(layer: Linear, rank: number, scale: number) {
    super(checked(layerCall, arguments));
    const { weight, bias } = layer;
    const [outputs, inputs] = weight.shape;
    const bound = 1 / Math.sqrt(inputs);
    this.weight = weight;
    if (bias) this.bias = bias;
    this.loraA = new Parameter(uniform([rank, inputs], -bound, bound));
    this.loraB = new Parameter(zeros([outputs, rank]));
    this.#scale = scale;
  }

  protected override apply(inputs: Tensor): Tensor {
    const update = linear(linear(inputs, this.loraA), this.loraB);
    return linear(inputs, this.weight, this.bias).add(update.mul(this.#scale));
  }

  /** W + scale·B·A: the weight of a plain layer that gives the same, but for rounding. → [outputs, inputs] */
  merged(): Tensor {
    checkNone("LoraLinear.merged", arguments);
    return this.weight.add(matmul(this.loraB, this.loraA).mul(this.#scale));
  }

  protected override describe(): string {
    const [outputs, inputs] = this.weight.shape;
    return `(${inputs} → ${outputs}, rank ${this.loraA.shape[0]})`;
  }
}

/** Puts a module in another's place, wherever the tree holds it: as a property, or in a list, a record or a Map. */
export function replaceModule(tree: Module, old: Module, next: Module): void {
  const within = (holder: object, depth: number) => {
    const isMap = holder instanceof Map;
    for (const [name, value] of isMap ? [...holder] : Object.entries(holder)) {
      if (value === old) isMap ? holder.set(name, next) : Object.assign(holder, { [name]: next });
      else if (value instanceof Module) within(value, deepest);
      else if (depth > 0 && itemsOf(value)) within(value, depth - 1);
    }
  };
  within(tree, deepest);
}
