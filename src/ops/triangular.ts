// Triangular systems, and Cholesky's factor: column after column, so that each element's differences are in ascending order of columns (descending
// where the triangle is the upper one).
import type { Node } from "../graph/node.ts";
import { boolean, options, takes, tensor } from "./arguments.ts";
import { pick, positions, rowNumbers } from "./columns.ts";
import { equal, greater } from "./compare.ts";
import { tril, triu } from "./diagonal.ts";
import { add, div, mul, neg, sqrt, sub, where } from "./elementwise.ts";
import { defineResult, extentsOf, matricesOf, product, systemOf } from "./matrix.ts";
import { reshape, swapAxes, transpose } from "./movement.ts";

/** Which triangle of a matrix is read, and whether its diagonal is taken as ones. */
export interface Triangle {
  readonly upper: boolean;
  readonly unitDiagonal?: boolean;
}

/** The solution's value. t: [batch, n, n], of which the other triangle's elements count for nothing; b: [batch, n, columns]. */
export function substitute(t: Node, b: Node, { upper, unitDiagonal }: Triangle): Node {
  const [batch, n, columns] = extentsOf(b);
  const { slices } = positions(
    n,
    [b],
    [transpose(t, [2, 0, 1])],
    (k, [left], [column]) => {
      const entries = reshape(column, [batch, n, 1]);
      const row = pick(left, k, 1);
      const x = unitDiagonal ? row : div(row, pick(entries, k, 1));
      // Rows that are done change too; nobody reads them again.
      return { carry: [sub(left, mul(entries, x))], slices: [x] };
    },
    { reverse: upper },
  );
  return transpose(reshape(slices[0], [n, batch, columns]), [1, 0, 2]);
}

const solutions = [false, true].map((upper) =>
  [false, true].map((unitDiagonal) =>
    defineResult(
      `triangularSolve ${upper ? "upper" : "lower"}${unitDiagonal ? " unit" : ""}`,
      ({ grad, output, given: [t] }) => {
        const sides = solved(swapAxes(t), grad, { upper: !upper, unitDiagonal });
        const offset = unitDiagonal ? 1 : 0;
        const outer = neg(product(sides, swapAxes(output)));
        return [upper ? triu(outer, offset) : tril(outer, -offset), sides];
      },
    ),
  ),
);

/** t⁻¹ · b of two batches, with its gradients: of b t⁻ᵀ · g, of t the triangle of −(t⁻ᵀ · g) · xᵀ. */
export function solved(t: Node, b: Node, triangle: Triangle): Node {
  const { upper, unitDiagonal = false } = triangle;
  return solutions[Number(upper)][Number(unitDiagonal)](substitute(t, b, triangle), t, b);
}

/** x · t⁻ᵀ of two batches. */
export const dividedBy = (x: Node, t: Node, triangle: Triangle): Node => swapAxes(solved(t, swapAxes(x), triangle));

/**
 * x with a · x = b, of a triangular matrix, by substitution. a: [..., n, n], whose other triangle isn't read; b: [n], or [..., n, columns] → b's shape; leading
 * axes broadcast. `upper` says which triangle, as `torch.linalg.solve_triangular`; with `unitDiagonal` the diagonal isn't read either, and is ones. A zero on the diagonal
 * gives ∞ or NaN. Throws ShapeError, DTypeError.
 * @torch torch.linalg.solve_triangular
 */
export function triangularSolve(a: Node, b: Node, triangle: Triangle): Node {
  const system = systemOf("triangularSolve", a, b);
  return system.restore(solved(system.a, system.b, triangle));
}

/** (x + xᵀ) ÷ 2: of a symmetric matrix the very elements. */
export const symmetric = (x: Node): Node => div(add(x, swapAxes(x)), 2);

/** Murray (2016), "Differentiation of the Cholesky decomposition": L⁻ᵀ · Φ(Lᵀ · g) · L⁻¹, Φ the lower triangle with half the diagonal. */
const choleskyOf = defineResult("cholesky", ({ grad, output }) => {
  const n = output.shape[2];
  const inner = product(swapAxes(output), tril(grad));
  const rows = rowNumbers(n);
  const halved = mul(inner, where(equal(rows, swapAxes(rows)), 0.5, 1));
  const upper = swapAxes(output);
  const left = solved(upper, tril(halved), { upper: true });
  return [dividedBy(left, upper, { upper: true })];
});

/**
 * The lower triangular L with x = L · Lᵀ, of symmetric positive definite matrices: [..., n, n] → [..., n, n], by columns, `torch.linalg.cholesky`. Of any
 * other matrix (x + xᵀ) ÷ 2 is factored, as jax.numpy's, so that its gradient is symmetric; of one that isn't positive definite elements are NaN, where PyTorch raises. Throws
 * ShapeError, DTypeError.
 * @torch torch.linalg.cholesky
 */
export function cholesky(x: Node): Node {
  const { a: given, shaped } = matricesOf("cholesky", x, true);
  const a = symmetric(given);
  const [batch, n] = extentsOf(a);
  const rows = rowNumbers(n);
  const { slices } = positions(n, [a], [], (k, [left]) => {
    const column = pick(left, k, 2);
    const pivot = sqrt(pick(column, k, 1));
    const found = where(greater(rows, k), div(column, pivot), where(equal(rows, k), pivot, 0));
    return { carry: [sub(left, mul(found, swapAxes(found)))], slices: [found] };
  });
  const factor = transpose(reshape(slices[0], [n, batch, n]), [1, 2, 0]);
  return shaped(choleskyOf(factor, a));
}

takes({ cholesky }, { x: tensor });
const which = options<Triangle>({ upper: boolean, "unitDiagonal?": boolean });
takes({ triangularSolve }, { a: tensor, b: tensor, triangle: which }, "say which triangle: { upper: false }");
