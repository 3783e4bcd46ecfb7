// Cumulative ops: each element is what those up to it along an axis combine to, one after another from the first (docs/numerics.md).
import { normalizeAxis } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axisKind, takes, tensor } from "./arguments.ts";
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

/** What is computed along an axis, the last unless given. */
const along =
  <R>(name: string, compute: (axis: number, x: Node) => R) =>
  (x: Node, axis = -1): R =>
    compute(normalizeAxis(name, axis, x.shape.length), x);
const foundBy = (places: typeof prefixArgmax) => (axis: number, x: Node) => {
  const indices = places(axis, x);
  return { values: gather(x, indices, axis), indices };
};

/** Sums of the elements up to each along an axis, the last unless given, as `torch.cumsum`: x: [...] float32 or int32 → [...]; int32 wraps. @torch torch.cumsum */
export const cumsum = along("cumsum", prefixSum);

/** Products of the elements up to each along an axis, the last unless given, as `torch.cumprod`: x: [...] float32 or int32 → [...]; int32 wraps. @torch torch.cumprod */
export const cumprod = along("cumprod", prefixProduct);

/**
 * Largest of the elements up to each along an axis, the last unless given, and where it is: x: [...] float32 or int32 → values [...], indices [...] int32. NaN wins. Of equal ones
 * the first counts and has the gradient, as in `argmax`; `torch.cummax` takes the last.
 * @torch torch.cummax
 */
export const cummax = along<Found>("cummax", foundBy(prefixArgmax));

/** Smallest of the elements up to each along an axis, and where it is; otherwise as `cummax`. @torch torch.cummin */
export const cummin = along<Found>("cummin", foundBy(prefixArgmin));

/**
 * log(e^x₀ + … + e^xᵢ) along an axis, the last unless given, as `torch.logcumsumexp`: x: [...] float32 → [...]. With mᵢ the largest so far it is mᵢ + log sᵢ, where
 * sᵢ = sᵢ₋₁·e^(mᵢ₋₁ − mᵢ) + e^(xᵢ − mᵢ): nothing overflows.
 * @torch torch.logcumsumexp
 */
export const logCumSumExp = along("logCumSumExp", (at, x) => {
  checkFloat("logCumSumExp", x);
  const largest = stopGradient(cummax(x, at).values);
  const base = finite(largest);
  const fade = exp(sub(later(largest, at, 0), base));
  return add(log(recurrence(at, fade, exp(sub(x, base)))), base);
});

const oneAxis = "it is along one axis, as in x.cumsum(0)";
takes({ cumsum, cumprod, cummax, cummin, logCumSumExp }, { x: tensor, "axis?": axisKind }, oneAxis);
