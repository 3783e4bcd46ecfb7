// Orthogonal factors by Householder's reflections, with LAPACK's signs; least squares by them.
import type { Node } from "../graph/node.ts";
import { takes, tensor } from "./arguments.ts";
import { pick, positions, rowNumbers } from "./columns.ts";
import { equal, greater, less } from "./compare.ts";
import { eye } from "./creation.ts";
import { broadcastTo } from "./define.ts";
import { tril, triu } from "./diagonal.ts";
import { add, div, mul, neg, sqrt, sub, where } from "./elementwise.ts";
import { defineResult, extentsOf, matricesOf, product, type Result, systemOf } from "./matrix.ts";
import { concat, slice, swapAxes } from "./movement.ts";
import { sum } from "./reduce.ts";
import { dividedBy, solved } from "./triangular.ts";

/** Values of Q [batch, rows, columns] and R [batch, columns, columns], of at least as many rows as columns. */
export function reflected(x: Node): [q: Node, r: Node] {
  const [batch, m, n] = extentsOf(x);
  const rows = rowNumbers(m);
  const apply = (left: Node, v: Node, tau: Node) => sub(left, mul(v, mul(tau, product(swapAxes(v), left))));
  const forward = positions(n, [x], [], (k, [left]) => {
    const column = pick(left, k, 2);
    const corner = pick(column, k, 1);
    const tail = where(greater(rows, k), column, 0);
    const squares = sum(mul(tail, tail), { axis: 1, keepDims: true });
    // Nothing to reflect: the corner keeps its sign.
    const isDone = equal(squares, 0);
    const size = sqrt(add(squares, mul(corner, corner)));
    const turned = where(less(corner, 0), size, neg(size));
    const v = where(equal(rows, k), 1, where(isDone, 0, div(tail, sub(corner, turned))));
    const tau = where(isDone, 0, div(sub(turned, corner), turned));
    return { carry: [apply(left, v, tau)], slices: [v, tau] };
  });
  const r = triu(slice(forward.carry[0], [null, [0, n]]));
  const start = broadcastTo(eye(m, { columns: n }), [batch, m, n]);
  const undo = (_: Node, [left]: readonly Node[], [v, tau]: readonly Node[]) => ({
    carry: [apply(left, v, tau)],
    slices: [],
  });
  const backward = positions(n, [start], forward.slices, undo, { reverse: true });
  return [backward.carry[0], r];
}

/** Walter and Lehmann (2010): (gQ + Q · copyltu(R·gRᵀ − gQᵀ·Q)) · R⁻ᵀ, copyltu the symmetric matrix of a lower triangle. */
function gradientOf(q: Node, r: Node, inner: Node, outer?: Node): Node {
  const mirrored = product(q, add(tril(inner), swapAxes(tril(inner, -1))));
  return dividedBy(outer ? add(outer, mirrored) : mirrored, r, { upper: true });
}
const orthogonal = defineResult("qr q", ({ grad, output, given: [x, r] }) => [
  gradientOf(output, triangle(r, x, output), neg(product(swapAxes(grad), output)), grad),
  null,
]);
const triangle: Result = defineResult("qr r", ({ grad, output, given: [x, q] }) => [
  gradientOf(orthogonal(q, x, output), output, product(output, swapAxes(grad))),
  null,
]);

/** Q and R of a batch with their gradients; of more columns than rows R's others are Qᵀ · x. */
function factors(x: Node): [q: Node, r: Node] {
  const [, m, n] = extentsOf(x);
  const square = m < n ? slice(x, [null, null, [0, m]]) : x;
  const [q, r] = reflected(square);
  const [own, upper] = [orthogonal(q, square, r), triangle(r, square, q)];
  return [own, m < n ? concat([upper, product(swapAxes(own), slice(x, [null, null, [m, n]]))], 2) : upper];
}

/** Orthonormal columns and a triangle. */
export interface QrFactors {
  readonly q: Node;
  readonly r: Node;
}

/**
 * The factors of x = Q · R by Householder's reflections: x: [..., m, n] → q [..., m, k] of orthonormal columns and r [..., k, n], an upper triangle, k = min(m, n); signs
 * as LAPACK's. `torch.linalg.qr`'s "reduced"; there is no "complete". The gradient isn't finite where the first k columns aren't independent. Squares of elements must be finite. Throws
 * ShapeError, DTypeError.
 * @torch torch.linalg.qr
 */
export function qr(x: Node): QrFactors {
  const { a, shaped } = matricesOf("qr", x);
  const [q, r] = factors(a);
  return { q: shaped(q), r: shaped(r) };
}

/**
 * The x for which Σ (a·x − b)² is least, by `qr`; of fewer rows than columns the shortest such x. a: [..., m, n] of full rank; b: [m], or [..., m, columns] → [n] or
 * [..., n, columns]; leading axes broadcast. Of a matrix that isn't of full rank elements are large, ∞ or NaN: `pinverse(a).matmul(b)` is the solution there. Throws ShapeError, DTypeError.
 * @torch torch.linalg.lstsq
 */
export function lstsq(a: Node, b: Node): Node {
  const system = systemOf("lstsq", a, b, false);
  const [, m, n] = extentsOf(system.a);
  if (m >= n) {
    const [q, r] = factors(system.a);
    return system.restore(solved(r, product(swapAxes(q), system.b), { upper: true }));
  }
  const [q, r] = factors(swapAxes(system.a));
  return system.restore(product(q, solved(swapAxes(r), system.b, { upper: false })));
}

takes({ qr }, { x: tensor });
takes({ lstsq }, { a: tensor, b: tensor });
