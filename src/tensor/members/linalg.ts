// Products over chosen axes, norms, systems of equations, factorisations.
import { joined, only } from "../../core/namespaces.ts";
import * as contraction from "../../ops/contraction.ts";
import * as einsum from "../../ops/einsum.ts";
import * as jacobi from "../../ops/jacobi.ts";
import * as lu from "../../ops/lu.ts";
import * as qr from "../../ops/qr.ts";
import * as triangular from "../../ops/triangular.ts";
import * as vectorNorm from "../../ops/vector-norm.ts";

const [ofQr, ofTriangles] = [only(qr, "qr", "lstsq"), only(triangular, "cholesky", "triangularSolve")];
/** The ops whose first operand is a tensor. */
export const methods = joined(contraction, jacobi, lu, ofQr, ofTriangles, vectorNorm);

/** The others. */
export const others = joined(einsum);
