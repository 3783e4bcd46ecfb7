// Eigenvalues and singular values by Jacobi's rotations: sweeps are a fixed number, and a sweep's pairs in a fixed order, so that the bits are. Each step turns
// n ÷ 2 pairs that share no index, in the order of a round-robin tournament: an index's partner is computed from the step's number.
import type { Node } from "../graph/node.ts";
import { kind, options, takes, tensor } from "./arguments.ts";
import { remainder } from "./arithmetic.ts";
import { columnNumbers, pick, positions } from "./columns.ts";
import { equal, greater, less } from "./compare.ts";
import { coordinate, eye } from "./creation.ts";
import { full } from "./define.ts";
import { diagonal } from "./diagonal.ts";
import { abs, add, cast, div, mul, sqrt, sub, where } from "./elementwise.ts";
import { defineResult, extentsOf, identities, matricesOf, product, type Result } from "./matrix.ts";
import { reshape, slice, swapAxes } from "./movement.ts";
import { reflected } from "./qr.ts";
import { sum } from "./reduce.ts";
import { argsort } from "./sort.ts";
import { symmetric } from "./triangular.ts";

/** Off-diagonal elements shrink quadratically once they are small: float32 needs about eight sweeps at n = 100, a float64 reading two more. */
const sweeps = 12;

/** The partner of each index in a step, [1, n, 1]: with one index fixed the others' numbers add up to twice the round's, modulo their count. Odd n: one rests, its own partner. */
function partners(step: Node, n: number): Node {
  const others = n % 2 === 0 ? n - 1 : n;
  const index = coordinate([1, n, 1], 1);
  const round = remainder(step, others);
  const opposite = remainder(add(sub(mul(round, 2), index), others), others);
  if (n % 2 === 1) return opposite;
  return where(equal(index, others), round, where(equal(index, round), full([], others, "int32"), opposite));
}

/** tan of the smaller angle that makes `cross` of each index and its partner 0; the partner's is its negative. All [batch, n, 1]. */
function tangents(own: Node, other: Node, cross: Node, index: Node, partner: Node): Node {
  const ratio = div(sub(other, own), mul(cross, 2));
  const size = add(abs(ratio), sqrt(add(mul(ratio, ratio), 1)));
  const isNegative = where(equal(ratio, 0), cast(greater(index, partner), "int32"), cast(less(ratio, 0), "int32"));
  const found = div(where(equal(isNegative, 1), full([], -1), 1), size);
  return where(equal(index, partner), 0, where(equal(cross, 0), 0, found));
}

/** Rows (axis 1) or columns turned with their partners', in Rutishauser's form, x − sin · (y + x · tan ½): what is small is added to what is there. */
function turn(x: Node, t: Node, partner: Node, axis: 1 | 2 = 1): Node {
  const cosine = div(1, sqrt(add(mul(t, t), 1)));
  const sine = mul(cosine, t);
  const along = (each: Node) => (axis === 1 ? each : swapAxes(each));
  const half = div(sine, add(cosine, 1));
  return sub(x, mul(along(sine), add(pick(x, along(partner), axis), mul(along(half), x))));
}
const steps = (n: number) => (n < 2 ? 0 : sweeps * (n % 2 === 0 ? n - 1 : n));

/** Eigenvalues [batch, n], ascending, and eigenvectors as columns, of symmetric matrices. */
function diagonalized(x: Node): [values: Node, vectors: Node] {
  const [batch, n] = extentsOf(x);
  const index = coordinate([1, n, 1], 1);
  const { carry } = positions(steps(n), [x, identities(batch, n)], [], (step, [a, rows]) => {
    const partner = partners(step, n);
    const own = pick(a, index, 2);
    // Of the two elements of a pair one is read, so that both of it turn by one angle.
    const [left, right] = [pick(a, partner, 2), swapAxes(pick(a, swapAxes(partner), 1))];
    const cross = where(less(index, partner), left, right);
    const t = tangents(own, pick(own, partner, 1), cross, index, partner);
    const turned = turn(turn(a, t, partner), t, partner, 2);
    const isPair = equal(columnNumbers(n), where(equal(index, partner), full([], -1, "int32"), partner));
    return { carry: [where(isPair, 0, turned), turn(rows, t, partner)], slices: [] };
  });
  const values = diagonal(carry[0], { axis1: 1, axis2: 2 });
  const order = argsort(values);
  return [pick(values, order, 1), swapAxes(pick(carry[1], reshape(order, [batch, n, 1]), 1))];
}

const columnsTimes = (x: Node, factors: Node) => mul(x, reshape(factors, [factors.shape[0], 1, factors.shape[1]]));
const rowsTimes = (x: Node, factors: Node) => mul(x, reshape(factors, [...factors.shape, 1]));
/** vⱼ − vᵢ, 1 on the diagonal. */
function gaps(values: Node): Node {
  const [batch, n] = values.shape;
  return add(sub(reshape(values, [batch, 1, n]), reshape(values, [batch, n, 1])), eye(n));
}

/** V · diag(g) · Vᵀ. */
const eigenvalues = defineResult("eigh values", ({ grad, output, given: [x, vectors] }) => {
  const v = eigenvectors(vectors, x, output);
  return [product(columnsTimes(v, grad), swapAxes(v)), null];
});
/** V · (Vᵀ·g ÷ (wⱼ − wᵢ), 0 on the diagonal) · Vᵀ. */
const eigenvectors: Result = defineResult("eigh vectors", ({ grad, output, given: [x, values] }) => {
  const inner = product(swapAxes(output), grad);
  const [, n] = values.shape;
  const divided = mul(div(inner, gaps(eigenvalues(values, x, output))), sub(1, eye(n)));
  return [product(product(output, divided), swapAxes(output)), null];
});

/** Eigenvalues and eigenvectors. */
export interface Eigen {
  readonly eigenvalues: Node;
  readonly eigenvectors: Node;
}

/**
 * Eigenvalues [..., n], ascending, and eigenvectors, the columns of [..., n, n], of symmetric matrices, by twelve sweeps of Jacobi's rotations; `torch.linalg.eigh`. Of any other matrix it is
 * (x + xᵀ) ÷ 2 that is decomposed, as jax.numpy's. The sign of a vector is as it comes, and always the same. A gradient through vectors isn't finite where two eigenvalues are equal. Throws ShapeError, DTypeError.
 * @torch torch.linalg.eigh
 * @golden linalg, by "eigenvalues" and "eigenvectors"
 */
export function eigh(x: Node): Eigen {
  const { a: given, shaped } = matricesOf("eigh", x, true);
  const a = symmetric(given);
  const [values, vectors] = diagonalized(a);
  return {
    eigenvalues: shaped(eigenvalues(values, a, vectors)),
    eigenvectors: shaped(eigenvectors(vectors, a, values)),
  };
}

/** Values of U [batch, m, n], S [batch, n], descending, and Vᵀ, of m ≥ n: rotations make the columns of x·V orthogonal (Hestenes), whose lengths are S. */
function orthogonalized(x: Node): [u: Node, s: Node, vh: Node] {
  const [batch, , n] = extentsOf(x);
  const index = coordinate([1, n, 1], 1);
  const dot = (a: Node, b: Node) => sum(mul(a, b), { axis: 2, keepDims: true });
  const { carry } = positions(steps(n), [swapAxes(x), identities(batch, n)], [], (step, [columns, rows]) => {
    const partner = partners(step, n);
    const own = dot(columns, columns);
    const cross = dot(columns, pick(columns, partner, 1));
    const t = tangents(own, pick(own, partner, 1), cross, index, partner);
    return { carry: [turn(columns, t, partner), turn(rows, t, partner)], slices: [] };
  });
  const sizes = reshape(sqrt(dot(carry[0], carry[0])), [batch, n]);
  const order = argsort(sizes, { descending: true });
  const places = reshape(order, [batch, n, 1]);
  // Their directions by reflections: orthonormal even where lengths are 0.
  const [q, r] = reflected(swapAxes(pick(carry[0], places, 1)));
  const signs = where(less(diagonal(r, { axis1: 1, axis2: 2 }), 0), full([], -1), 1);
  return [columnsTimes(q, signs), pick(sizes, order, 1), pick(carry[1], places, 1)];
}

/** Townsend (2016), "Differentiating the singular value decomposition": inner[i, j] ÷ (sⱼ² − sᵢ²), of inner = x − xᵀ. */
const skewed = (x: Node, s: Node) => div(sub(x, swapAxes(x)), gaps(mul(s, s)));

const singularValues = defineResult("svd s", ({ grad, output, given: [x, u, vh] }) => {
  const [left, right] = [leftVectors(u, x, output, vh), rightVectors(vh, x, u, output)];
  return [product(columnsTimes(left, grad), right), null, null];
});
const leftVectors: Result = defineResult("svd u", ({ grad, output, given: [x, values, vh] }) => {
  const [s, right] = [singularValues(values, x, output, vh), rightVectors(vh, x, output, values)];
  const own = product(swapAxes(output), grad);
  const within = product(output, columnsTimes(skewed(own, s), s));
  const [, m, n] = extentsOf(output);
  const beyond = () => columnsTimes(sub(grad, product(output, own)), div(1, s));
  return [product(m > n ? add(within, beyond()) : within, right), null, null];
});
const rightVectors: Result = defineResult("svd v", ({ grad, output, given: [x, u, values] }) => {
  const [s, left] = [singularValues(values, x, u, output), leftVectors(u, x, values, output)];
  const own = product(output, swapAxes(grad));
  return [product(product(left, rowsTimes(skewed(own, s), s)), output), null, null];
});

/** Singular vectors as columns of u and rows of vh, and singular values. */
export interface Svd {
  readonly u: Node;
  readonly s: Node;
  readonly vh: Node;
}

/** Of a batch of at least as many rows as columns. */
function decomposed(x: Node): Svd {
  const [u, s, vh] = orthogonalized(x);
  return { u: leftVectors(u, x, s, vh), s: singularValues(s, x, u, vh), vh: rightVectors(vh, x, u, s) };
}

/**
 * x = u · diag(s) · vh by twelve sweeps of Jacobi's rotations: x: [..., m, n] → u [..., m, k] of orthonormal columns, s [..., k] ≥ 0, descending, vh [..., k, n] of orthonormal rows, k = min(m, n);
 * `torch.linalg.svd` with `full_matrices=False`. Signs are as they come, and always the same. A gradient through u or vh isn't finite where two singular values are equal, nor, of matrices
 * that aren't square, where one is 0. Squares of elements must be finite. Throws ShapeError, DTypeError.
 * @torch torch.linalg.svd
 * @golden linalg, by "singular values" and "singular vectors"
 */
export function svd(x: Node): Svd {
  const { a, shaped } = matricesOf("svd", x);
  const [, m, n] = extentsOf(a);
  const { u, s, vh } = m < n ? flipped(decomposed(swapAxes(a))) : decomposed(a);
  return { u: shaped(u), s: shaped(s), vh: shaped(vh) };
}

const flipped = ({ u, s, vh }: Svd): Svd => ({ u: swapAxes(vh), s, vh: swapAxes(u) });

/** Golub and Pereyra (1973). */
const pseudoInverse = defineResult("pinverse", ({ grad, output: p, given: [x] }) => {
  const [g, pt] = [swapAxes(grad), swapAxes(p)];
  const inner = product(g, p);
  const outer = product(inner, pt);
  const within = sub(outer, swapAxes(product(p, inner)));
  const beyond = sub(product(product(pt, p), sub(g, product(inner, x))), product(product(x, p), outer));
  return [add(within, beyond)];
});

/** Below which a singular value counts as 0. */
export interface RankOptions {
  /** Of the largest singular value; max(m, n) · 2⁻²³ unless given. */
  readonly tolerance?: number;
}

/** Singular values and which of them count. x: [batch, m, n] or its transpose. */
function counted(x: Node, tolerance?: number): Svd & { readonly isLarge: Node } {
  const [, m, n] = extentsOf(x);
  const [u, s, vh] = m < n ? orthogonalized(swapAxes(x)) : orthogonalized(x);
  const factor = tolerance ?? Math.max(m, n) * 2 ** -23;
  const largest = s.shape[1] === 0 ? s : slice(s, [null, [0, 1]]);
  return { ...(m < n ? flipped({ u, s, vh }) : { u, s, vh }), isLarge: greater(s, mul(largest, factor)) };
}

/** The Moore–Penrose inverse by `svd`: [..., m, n] → [..., n, m], whatever the rank, which must not change nearby for the gradient to be one. `torch.linalg.pinv`. Throws ShapeError, DTypeError. @torch torch.linalg.pinv */
export function pinverse(x: Node, options: RankOptions = {}): Node {
  const { tolerance } = options;
  const { a, shaped } = matricesOf("pinverse", x);
  const { u, s, vh, isLarge } = counted(a, tolerance);
  const value = product(columnsTimes(swapAxes(vh), where(isLarge, div(1, s), 0)), swapAxes(u));
  return shaped(pseudoInverse(value, a));
}

/** How many singular values count: [..., m, n] → [...] int32, `torch.linalg.matrix_rank`. Throws ShapeError, DTypeError. @torch torch.linalg.matrix_rank @golden none: a count by a threshold, held to exact ranks */
export function matrixRank(x: Node, options: RankOptions = {}): Node {
  const { tolerance } = options;
  const { a, shaped } = matricesOf("matrixRank", x);
  return shaped(sum(counted(a, tolerance).isLarge, -1));
}

const part = kind("a number in [0, 1)", (value) => typeof value === "number" && value >= 0 && value < 1);
const rank = options<RankOptions>({ "tolerance?": part });
takes({ eigh, svd }, { x: tensor });
takes({ pinverse, matrixRank }, { x: tensor, "options?": rank }, "the tolerance goes by name: { tolerance: 1e-5 }");
