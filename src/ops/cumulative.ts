// Cumulative ops: each element is what those up to it along an axis combine to, one after another from the first (docs/numerics.md).
import { normalizeAxis } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axis as axisKind, takes, tensor } from "./arguments.ts";
import { checkFloat } from "./define.ts";
import { add, exp, log, stopGradient, sub } from "./elementwise.ts";
import { gather } from "./gather.ts";
import { finite } from "./guarded.ts";
import { later, prefixArgmax, prefixArgmin, prefixProduct, prefixSum, recurrence } from "./prefix.ts";

/** Values, and where along the axis they are. */
export interface Found {
  readonly values: Node;
  /** int32. */
  readonly indices: Node;
}

/** Sums of the elements up to each along an axis, as `torch.cumsum`: x: [...] float32 or int32 → [...]; int32 wraps. @torch torch.cumsum */
export function cumsum(x: Node, axis = -1): Node {
  return prefixSum(normalizeAxis("cumsum", axis, x.shape.length), x);
}

/** Products of the elements up to each along an axis, as `torch.cumprod`: x: [...] float32 or int32 → [...]; int32 wraps. @torch torch.cumprod */
export function cumprod(x: Node, axis = -1): Node {
  return prefixProduct(normalizeAxis("cumprod", axis, x.shape.length), x);
}

/**
 * Largest of the elements up to each along an axis, and where it is: x: [...] float32 or int32 → values [...], indices [...] int32. NaN wins. Of equal ones
 * the first counts and has the gradient, as in `argmax`; `torch.cummax` takes the last.
 * @torch torch.cummax
 */
export function cummax(x: Node, axis = -1): Found {
  const at = normalizeAxis("cummax", axis, x.shape.length);
  const indices = prefixArgmax(at, x);
  return { values: gather(x, indices, at), indices };
}

/** Smallest of the elements up to each along an axis, and where it is; otherwise as `cummax`. @torch torch.cummin */
export function cummin(x: Node, axis = -1): Found {
  const at = normalizeAxis("cummin", axis, x.shape.length);
  const indices = prefixArgmin(at, x);
  return { values: gather(x, indices, at), indices };
}

/**
 * log(e^x₀ + … + e^xᵢ) along an axis, as `torch.logcumsumexp`: x: [...] float32 → [...]. With mᵢ the largest so far it is mᵢ + log sᵢ, where
 * sᵢ = sᵢ₋₁·e^(mᵢ₋₁ − mᵢ) + e^(xᵢ − mᵢ): nothing overflows.
 * @torch torch.logcumsumexp
 */
export function logCumSumExp(x: Node, axis = -1): Node {
  checkFloat("logCumSumExp", x);
  const at = normalizeAxis("logCumSumExp", axis, x.shape.length);
  const largest = stopGradient(cummax(x, at).values);
  const base = finite(largest);
  const fade = exp(sub(later(largest, at, 0), base));
  return add(log(recurrence(at, fade, exp(sub(x, base)))), base);
}

takes(
  { cumsum, cumprod, cummax, cummin, logCumSumExp },
  { x: tensor, "axis?": axisKind },
  "it is along one axis, as in x.cumsum(0)",
);
