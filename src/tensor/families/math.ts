// Further elementary functions, powers, products over axes, and the bits of integers.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/math.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  bitAnd,
  bitNot,
  bitOr,
  bitXor,
  cosh,
  erfc,
  exp2,
  hypot,
  log10,
  log2,
  pow,
  prod,
  shiftLeft,
  shiftRight,
  sinh,
  tan,
} = ops;
