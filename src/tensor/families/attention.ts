// Attention.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/attention.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const { scaledDotProductAttention } = ops;
