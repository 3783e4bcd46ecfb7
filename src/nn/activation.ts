// Layers without parameters: one function each.
import { callable, checkArguments, type Kinds, oneOf, options, real, signature, string } from "../core/arguments.ts";
import type { GeluOptions } from "../ops/elementwise.ts";
import { ops } from "../tensor/functions.ts";
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

type Name = keyof typeof ops;

/** What makes a layer of the function of that name, with what comes after its tensor. */
function layer<Given extends readonly unknown[] = []>(name: Name, parameters: Kinds = {}) {
  const call = signature(
    `nn.${name}`,
    parameters,
    `it makes a layer: nn.${name}().forward(x); the function of a tensor is ${name}(x) at top level`,
  );
  const apply = ops[name] as unknown as (x: Tensor, ...given: Given) => Tensor;
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
export const relu = layer("relu");
/**
 * A layer of x held between 0 and 6. x: [...] float32 → the same.
 * @torch torch.nn.ReLU6
 * @example nn.relu6().forward(zeros([2, 3]))
 */
export const relu6 = layer("relu6");
/**
 * A layer of x where x > 0, else slope·x; slope 0.01 unless given. x: [...] float32 → the same.
 * @torch torch.nn.LeakyReLU
 * @example nn.leakyRelu().forward(zeros([2, 3]))
 */
export const leakyRelu = layer<[slope?: number]>("leakyRelu", { "slope?": real });
/**
 * A layer of x where x > 0, else alpha·(eˣ − 1); alpha 1 unless given. x: [...] float32 → the same.
 * @torch torch.nn.ELU
 * @example nn.elu().forward(zeros([2, 3]))
 */
export const elu = layer<[alpha?: number]>("elu", { "alpha?": real });
/**
 * A layer of the scaled exponential linear unit, with the constants of self-normalising networks. x: [...] float32 → the same.
 * @torch torch.nn.SELU
 * @example nn.selu().forward(zeros([2, 3]))
 */
export const selu = layer("selu");
/**
 * A layer of x where x > 0, else alpha·(e^(x ÷ alpha) − 1); alpha 1 unless given. x: [...] float32 → the same.
 * @torch torch.nn.CELU
 * @example nn.celu().forward(zeros([2, 3]))
 */
export const celu = layer<[alpha?: number]>("celu", { "alpha?": real });
/**
 * A layer of x·Φ(x) for each element, the exact form, or with `{ approximate: "tanh" }` the approximation by tanh. x: [...] float32 → the same.
 * @torch torch.nn.GELU
 * @example nn.gelu().forward(zeros([2, 3]))
 */
export const gelu = layer<[options?: GeluOptions]>("gelu", {
  "options?": options<GeluOptions>({ "approximate?": oneOf(["none", "tanh"]) }),
});
/**
 * A layer of x·σ(x), the sigmoid linear unit or swish. x: [...] float32 → the same.
 * @torch torch.nn.SiLU
 * @example nn.silu().forward(zeros([2, 3]))
 */
export const silu = layer("silu");
/**
 * A layer of x·tanh(ln(1 + eˣ)). x: [...] float32 → the same.
 * @torch torch.nn.Mish
 * @example nn.mish().forward(zeros([2, 3]))
 */
export const mish = layer("mish");
/**
 * A layer of the hyperbolic tangent of each element. x: [...] float32 → the same.
 * @torch torch.nn.Tanh
 * @example nn.tanh().forward(zeros([2, 3]))
 */
export const tanh = layer("tanh");
/**
 * A layer of x held between min and max, −1 and 1 unless given. x: [...] float32 → the same.
 * @torch torch.nn.Hardtanh
 * @example nn.hardtanh().forward(zeros([2, 3]))
 */
export const hardtanh = layer<[min?: number, max?: number]>("hardtanh", { "min?": real, "max?": real });
/**
 * A layer of 1 ÷ (1 + e⁻ˣ) for each element. x: [...] float32 → the same.
 * @torch torch.nn.Sigmoid
 * @example nn.sigmoid().forward(zeros([2, 3]))
 */
export const sigmoid = layer("sigmoid");
/**
 * A layer of ln σ(x). x: [...] float32 → the same.
 * @torch torch.nn.LogSigmoid
 * @example nn.logSigmoid().forward(zeros([2, 3]))
 */
export const logSigmoid = layer("logSigmoid");
/**
 * A layer of relu6(x + 3) ÷ 6. x: [...] float32 → the same.
 * @torch torch.nn.Hardsigmoid
 * @example nn.hardSigmoid().forward(zeros([2, 3]))
 */
export const hardSigmoid = layer("hardSigmoid");
/**
 * A layer of x·relu6(x + 3) ÷ 6. x: [...] float32 → the same.
 * @torch torch.nn.Hardswish
 * @example nn.hardSwish().forward(zeros([2, 3]))
 */
export const hardSwish = layer("hardSwish");
/**
 * A layer of ln(1 + eˣ). x: [...] float32 → the same.
 * @torch torch.nn.Softplus
 * @example nn.softplus().forward(zeros([2, 3]))
 */
export const softplus = layer("softplus");

/** What a model's `activation` may name. */
export const activations = {
  relu,
  gelu,
  tanh,
  sigmoid,
  silu,
  relu6,
  leakyRelu,
  elu,
  selu,
  celu,
  mish,
  hardtanh,
  logSigmoid,
  hardSigmoid,
  hardSwish,
  softplus,
} as const;
