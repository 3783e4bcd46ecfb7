// Norms of vectors.
import { refuse, ShapeError } from "../core/errors.ts";
import type { Node } from "../graph/node.ts";
import { type Kind, number, takes, tensor } from "./arguments.ts";
import { equal, notEqual } from "./compare.ts";
import { checkFloat } from "./define.ts";
import { abs, cast, mul, sign, where } from "./elementwise.ts";
import { root } from "./guarded.ts";
import { pow } from "./power.ts";
import { sum } from "./reduce.ts";
import { byName, optionsFor, overWith, type ReduceOptions, reduce } from "./reduction.ts";

/** Which axes, and the order of the norm (2). */
export interface NormOptions extends ReduceOptions {
  readonly p?: number;
}

/** Vector norm over axes, as `torch.linalg.vector_norm`: p 2 is √Σx², 1 Σ|x|, 0 how many aren't 0, ±∞ the largest or smallest |x|, another p (Σ|x|ᵖ)^(1 ÷ p), as is, so that large powers overflow; float32. Where x or the norm is 0 the gradient is 0. Throws ShapeError for a p that is NaN. @torch torch.linalg.vector_norm */
export function norm(x: Node, given: readonly number[] | NormOptions = {}): Node {
  checkFloat("norm", x);
  const { p = 2, ...over } = optionsFor(given) as NormOptions;
  if (Number.isNaN(p)) refuse(ShapeError, "norm", "no such norm", "NaN", "a number p");
  if (p === 2) return root(sum(mul(x, x), over));
  if (p === 1) return sum(abs(x), over);
  if (p === 0) return cast(sum(notEqual(x, 0), over), "float32");
  if (Math.abs(p) === Infinity) return reduce(p > 0 ? "max" : "min", abs(x), over, undefined, "norm");
  const isNone = equal(x, 0);
  // |x| as x·sign x, whose gradient at a NaN is NaN.
  const total = sum(where(isNone, p > 0 ? 0 : Infinity, pow(where(isNone, 1, mul(x, sign(x))), p)), over);
  const invert = (power: Node) => pow(power, 1 / p);
  return p > 0 ? root(total, invert) : invert(total);
}

const over = overWith({ "p?": number });
// A number is an axis to `sum`, and the order to PyTorch's and NumPy's norm.
const named: Kind = {
  ...over,
  expected: "a list of axes, or { axis, keepDims, p }",
  accepts: (value) => typeof value !== "number" && over.accepts(value),
  explain: (where, value) =>
    typeof value === "number"
      ? `an axis is { axis: ${value} }, the order of the norm { p: ${value} }`
      : over.explain!(where, value),
};
takes({ norm }, { x: tensor, "over?": named }, byName);
