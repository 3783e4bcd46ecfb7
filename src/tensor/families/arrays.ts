// Indexing, grids, padding, diagonals, and axes cut into parts, repeated and turned.
import { family, type Methods } from "../family.ts";
import { methods, others } from "../members/arrays.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods, others);

export const {
  at,
  chunk,
  diag,
  diagonal,
  fullLike,
  linspace,
  logspace,
  meshgrid,
  onesLike,
  pad,
  repeatInterleave,
  roll,
  rot90,
  split,
  takeAlongAxis,
  tile,
  trace,
  tril,
  triu,
  unstack,
  zerosLike,
} = ops;
