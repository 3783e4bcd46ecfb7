// Weights as places among the stream's words, in fixed point.
import { refuse, ShapeError } from "../core/errors.ts";

/**
 * The fixed-point CDF of weights (≥ 0, not all 0; they need not sum to 1): float64 [n] of integers, the k-th being
 * round((w₀ + … + wₖ)/(w₀ + … + wₙ₋₁)·2³²), sums ascending in float64. The last is 2³², so a weight of 0 is never drawn; one below 2⁻³³ of
 * the sum may never be. Throws ShapeError for weights that aren't such.
 */
export function categoricalThresholds(weights: ArrayLike<number>): Float64Array {
  const thresholds = new Float64Array(weights.length);
  let sum = 0;
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k];
    if (!(weight >= 0)) refuse(ShapeError, "categorical", `weight ${k} is not a weight`, weight, "a number ≥ 0");
    sum += weight;
    thresholds[k] = sum;
  }
  if (!(sum > 0 && sum < Infinity)) {
    const got = `${weights.length} weights that sum to ${sum}`;
    refuse(ShapeError, "categorical", "weights without a finite positive sum", got, "a sum in (0, ∞)");
  }
  for (let k = 0; k < thresholds.length; k++) thresholds[k] = Math.round((thresholds[k] / sum) * 2 ** 32);
  return thresholds;
}
