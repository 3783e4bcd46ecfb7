// Gradient clipping.
import { ConfigError } from "../core/errors.ts";
import { div, maximum, minimum, sqrt, sum } from "../tensor/functions.ts";
import type { Tensor } from "../tensor/tensor.ts";

function checkLimit(where: string, limit: number): void {
  if (!(limit > 0))
    throw new ConfigError({ where, problem: "not a limit", got: String(limit), expected: "a number > 0" });
}

/** √ of the sum of all squares: one reduce a tensor, then tensors added in the order given, which is by name. → [] */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  return sqrt(gradients.map((gradient) => sum(gradient.mul(gradient))).reduce((total, part) => total.add(part)));
}

/** Scales all gradients by min(1, limit ÷ (norm + 10⁻⁶)) (Pascanu et al. 2013; PyTorch's formula). `gradients` in name order. Throws ConfigError unless limit > 0. */
export function clipByGlobalNorm(gradients: readonly Tensor[], limit: number): { gradients: Tensor[]; norm: Tensor } {
  checkLimit("clipByGlobalNorm", limit);
  const norm = globalNorm(gradients);
  const factor = minimum(div(limit, norm.add(1e-6)), 1);
  return { gradients: gradients.map((gradient) => gradient.mul(factor)), norm };
}

/** Each element to [−limit, limit]; NaN stays. Throws ConfigError unless limit > 0. */
export function clipByValue(gradients: readonly Tensor[], limit: number): Tensor[] {
  checkLimit("clipByValue", limit);
  return gradients.map((gradient) => maximum(minimum(gradient, limit), -limit));
}
