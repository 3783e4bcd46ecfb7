// Newton–Schulz iterations, which bring a matrix's singular values near 1.
import { matmul, sqrt, sum } from "../tensor/families/basic.ts";
import type { Tensor } from "../tensor/tensor.ts";

const [a, b, c] = [3.4445, -4.775, 2.0315];

/** X ← a·X + (b·A + c·A²)·X with A = X·Xᵀ, from x ÷ (‖x‖ + 10⁻⁷), so many times. x: [rows, columns]. */
export function newtonSchulz(x: Tensor, iterations: number): Tensor {
  const tall = x.shape[0] > x.shape[1];
  let X = tall ? x.transpose() : x;
  X = X.div(sqrt(sum(X.mul(X))).add(1e-7));
  for (let i = 0; i < iterations; i++) {
    const A = matmul(X, X.transpose());
    const B = A.mul(b).add(matmul(A, A).mul(c));
    X = X.mul(a).add(matmul(B, X));
  }
  return tall ? X.transpose() : X;
}
