// Products over chosen axes, norms, systems of equations, factorisations.
import { family, type Methods } from "../family.ts";
import { methods, others } from "../members/linalg.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods, others);

export const {
  cdist,
  cholesky,
  cross,
  det,
  dot,
  eigh,
  einsum,
  inner,
  inverse,
  kron,
  lstsq,
  lu,
  matrixPower,
  matrixRank,
  norm,
  outer,
  pinverse,
  qr,
  slogdet,
  solve,
  svd,
  tensordot,
  triangularSolve,
} = ops;
