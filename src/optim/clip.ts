// Gradient clipping.
import { checkArguments, number, signature } from "../core/arguments.ts";
import { ConfigError, refuse } from "../core/errors.ts";
import { asGradientOf } from "../program/gradients.ts";
import { tensors } from "../tensor/arguments.ts";
import { div, maximum, minimum, sqrt, sum } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";

const normCall = signature("optim.globalNorm", { gradients: tensors });
const clipCall = signature("optim.clipByGlobalNorm", { gradients: tensors, limit: number });
const valueCall = signature("optim.clipByValue", { gradients: tensors, limit: number });

function checkLimit(where: string, limit: number): void {
  if (!(limit > 0)) refuse(ConfigError, where, "not a limit", limit, "a number > 0");
}

/** √ of the sum of all squares: one reduce a tensor, then tensors added in the order given, which a Trainer's is by name. → [] */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  checkArguments(normCall, arguments);
  if (gradients.length === 0) refuse(ConfigError, "optim.globalNorm", "no gradients", undefined, "at least one tensor");
  return sqrt(gradients.map((gradient) => sum(gradient.mul(gradient))).reduce((total, part) => total.add(part)));
}

/** Scales all gradients by min(1, limit ÷ (norm + 10⁻⁶)) (Pascanu et al. 2013; PyTorch's formula). The norm adds up in the order given. Throws ConfigError unless limit > 0. */
export function clipByGlobalNorm(gradients: readonly Tensor[], limit: number): { gradients: Tensor[]; norm: Tensor } {
  checkArguments(clipCall, arguments);
  checkLimit("clipByGlobalNorm", limit);
  const norm = globalNorm(gradients);
  const factor = minimum(div(limit, norm.add(1e-6)), 1);
  return { gradients: gradients.map((gradient) => asGradientOf(gradient.mul(factor), gradient)), norm };
}

/** Each element to [−limit, limit]; NaN stays. Throws ConfigError unless limit > 0. */
export function clipByValue(gradients: readonly Tensor[], limit: number): Tensor[] {
  checkArguments(valueCall, arguments);
  checkLimit("clipByValue", limit);
  return gradients.map((gradient) => asGradientOf(maximum(minimum(gradient, limit), -limit), gradient));
}
