// Indexing, grids, padding, diagonals, and axes cut into parts, repeated and turned.
import { family, type Methods } from "../family.ts";
import { methods, others } from "../members/arrays.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods, others);

export const { at, takeAlongAxis } = ops;
export const { linspace, logspace, meshgrid, fullLike, zerosLike, onesLike } = ops;
export const { pad, diag, diagonal, trace, tril, triu } = ops;
export const { chunk, split, unstack, repeatInterleave, tile, roll, rot90 } = ops;
