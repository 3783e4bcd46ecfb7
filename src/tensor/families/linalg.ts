// Products over chosen axes, norms, systems of equations, factorisations.
import { family, type Methods } from "../family.ts";
import { methods, others } from "../members/linalg.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods, others);

export const { dot, inner, outer, kron, cross, cdist, tensordot, einsum, norm } = ops;
export const { solve, lstsq, triangularSolve, inverse, pinverse, matrixPower, matrixRank, det, slogdet } = ops;
export const { cholesky, lu, qr, eigh, svd } = ops;
