// Activations of neural networks beside relu, tanh, sigmoid and softplus.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/activations.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const { celu, elu, selu, prelu, leakyRelu } = ops;
export const { gelu, silu, mish, logSigmoid, hardSigmoid, hardSwish, hardtanh, relu6 } = ops;
