// Further elementary functions, powers, products over axes, and the bits of integers.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/math.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const { exp2, log2, log10, pow, prod, hypot, erfc } = ops;
export const { tan, asin, acos, atan, atan2, sinh, cosh, asinh, acosh, atanh } = ops;
export const { bitAnd, bitOr, bitXor, bitNot, shiftLeft, shiftRight } = ops;
