// Newton–Schulz iterations, which bring a matrix's singular values near 1.
import { checkArguments, number, signature } from "../core/arguments.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { tensor } from "../tensor/arguments.ts";
import { matmul } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { globalNorm } from "./clip.ts";

const orthogonalCall = signature("optim.orthogonalize", { x: tensor, iterations: number });

/** Each is five nodes, and a handful are enough. */
const mostIterations = 100;
const coefficients = [3.4445, -4.775, 2.0315] as const;

/** The nearest half-orthogonal matrix, roughly: X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ, from x ÷ (‖x‖ + 10⁻⁷), so many times. x: [rows, columns]. */
export function orthogonalize(x: Tensor, iterations: number): Tensor {
  checkArguments(orthogonalCall, arguments);
  if (x.rank !== 2 || !Number.isSafeInteger(iterations) || iterations < 0 || iterations >= mostIterations) {
    throw new ShapeError({
      where: "optim.orthogonalize",
      problem: "not a matrix and a number of iterations",
      got: `${formatShape(x.shape)}, ${iterations}`,
      expected: `[rows, columns], an integer in [0, ${mostIterations})`,
    });
  }
  const [a, b, c] = coefficients;
  const tall = x.shape[0] > x.shape[1];
  let X = tall ? x.transpose() : x;
  X = X.div(globalNorm([X]).add(1e-7));
  for (let i = 0; i < iterations; i++) {
    const A = matmul(X, X.transpose());
    const B = A.mul(b).add(matmul(A, A).mul(c));
    X = X.mul(a).add(matmul(B, X));
  }
  return tall ? X.transpose() : X;
}
