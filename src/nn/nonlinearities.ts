// Further layers without parameters.
import { oneOf, options, real } from "../core/arguments.ts";
import type { GeluOptions } from "../ops/activations.ts";
import { ops } from "../tensor/families/activations.ts";
import { layer } from "./activation.ts";

/**
 * A layer of x held between 0 and 6. x: [...] float32 → the same.
 * @torch torch.nn.ReLU6
 * @example nn.relu6().forward(zeros([2, 3]))
 */
export const relu6 = layer("relu6", ops.relu6);
/**
 * A layer of x where x > 0, else slope·x; slope 0.01 unless given. x: [...] float32 → the same.
 * @torch torch.nn.LeakyReLU
 * @example nn.leakyRelu().forward(zeros([2, 3]))
 */
export const leakyRelu = layer<[slope?: number]>("leakyRelu", ops.leakyRelu, { "slope?": real });
/**
 * A layer of x where x > 0, else alpha·(eˣ − 1); alpha 1 unless given. x: [...] float32 → the same.
 * @torch torch.nn.ELU
 * @example nn.elu().forward(zeros([2, 3]))
 */
export const elu = layer<[alpha?: number]>("elu", ops.elu, { "alpha?": real });
/**
 * A layer of the scaled exponential linear unit, with the constants of self-normalising networks. x: [...] float32 → the same.
 * @torch torch.nn.SELU
 * @example nn.selu().forward(zeros([2, 3]))
 */
export const selu = layer("selu", ops.selu);
/**
 * A layer of x where x > 0, else alpha·(e^(x ÷ alpha) − 1); alpha 1 unless given. x: [...] float32 → the same.
 * @torch torch.nn.CELU
 * @example nn.celu().forward(zeros([2, 3]))
 */
export const celu = layer<[alpha?: number]>("celu", ops.celu, { "alpha?": real });
/**
 * A layer of x·Φ(x) for each element, the exact form, or with `{ approximate: "tanh" }` the approximation by tanh. x: [...] float32 → the same.
 * @torch torch.nn.GELU
 * @example nn.gelu().forward(zeros([2, 3]))
 */
export const gelu = layer<[options?: GeluOptions]>("gelu", ops.gelu, {
  "options?": options<GeluOptions>({ "approximate?": oneOf(["none", "tanh"]) }),
});
/**
 * A layer of x·σ(x), the sigmoid linear unit or swish. x: [...] float32 → the same.
 * @torch torch.nn.SiLU
 * @example nn.silu().forward(zeros([2, 3]))
 */
export const silu = layer("silu", ops.silu);
/**
 * A layer of x·tanh(ln(1 + eˣ)). x: [...] float32 → the same.
 * @torch torch.nn.Mish
 * @example nn.mish().forward(zeros([2, 3]))
 */
export const mish = layer("mish", ops.mish);
/**
 * A layer of x held between min and max, −1 and 1 unless given. x: [...] float32 → the same.
 * @torch torch.nn.Hardtanh
 * @example nn.hardtanh().forward(zeros([2, 3]))
 */
export const hardtanh = layer<[min?: number, max?: number]>("hardtanh", ops.hardtanh, { "min?": real, "max?": real });
/**
 * A layer of ln σ(x). x: [...] float32 → the same.
 * @torch torch.nn.LogSigmoid
 * @example nn.logSigmoid().forward(zeros([2, 3]))
 */
export const logSigmoid = layer("logSigmoid", ops.logSigmoid);
/**
 * A layer of relu6(x + 3) ÷ 6. x: [...] float32 → the same.
 * @torch torch.nn.Hardsigmoid
 * @example nn.hardSigmoid().forward(zeros([2, 3]))
 */
export const hardSigmoid = layer("hardSigmoid", ops.hardSigmoid);
/**
 * A layer of x·relu6(x + 3) ÷ 6. x: [...] float32 → the same.
 * @torch torch.nn.Hardswish
 * @example nn.hardSwish().forward(zeros([2, 3]))
 */
export const hardSwish = layer("hardSwish", ops.hardSwish);
