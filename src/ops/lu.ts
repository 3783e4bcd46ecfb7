// Elimination with partial pivoting: of several largest the lowest row is the pivot. The factors are computed once, and serve the gradients too.
import { refuse, ShapeError } from "../core/errors.ts";
import type { Node } from "../graph/node.ts";
import { number, takes, tensor } from "./arguments.ts";
import { columnNumbers, pick, positions, rowNumbers } from "./columns.ts";
import { equal, greater, less, logicalAnd, logicalOr } from "./compare.ts";
import { coordinate, eye } from "./creation.ts";
import { broadcastTo, full } from "./define.ts";
import { diagonal, tril, triu } from "./diagonal.ts";
import { abs, add, div, log, mul, neg, sign, stopGradient, sub, where } from "./elementwise.ts";
import { gather, scatterAdd } from "./gather.ts";
import { zerosLike } from "./grid.ts";
import { svd } from "./jacobi.ts";
import { defineResult, extentsOf, identities, matricesOf, product, type Result, systemOf } from "./matrix.ts";
import { reshape, swapAxes } from "./movement.ts";
import { productsAround } from "./prefix.ts";
import { prod } from "./product.ts";
import { any, argmax, sum } from "./reduce.ts";
import { dividedBy, solved, substitute } from "./triangular.ts";

/** Both triangles in one matrix [batch, n, n], the rows' old numbers [batch, n, 1], and the permutation's sign [batch]. */
interface Factors {
  readonly packed: Node;
  readonly order: Node;
  readonly parity: Node;
}

function factorize(x: Node): Factors {
  const a = stopGradient(x);
  const [batch, n] = extentsOf(a);
  const [rows, columns] = [rowNumbers(n), columnNumbers(n)];
  const numbers = broadcastTo(rows, [batch, n, 1]);
  if (n === 0) return { packed: a, order: numbers, parity: full([batch], 1) };
  const { carry, slices } = positions(n, [a, numbers], [], (k, [left, order]) => {
    const column = pick(left, k, 2);
    const pivot = argmax(where(less(rows, k), -1, abs(column)), { axis: 1, keepDims: true });
    const swapped = (each: Node) =>
      where(equal(rows, k), pick(each, pivot, 1), where(equal(rows, pivot), pick(each, k, 1), each));
    const top = pick(left, pivot, 1);
    const corner = pick(top, k, 2);
    const factor = where(equal(corner, 0), 0, div(swapped(column), corner));
    const moved = swapped(left);
    const below = where(greater(columns, k), sub(moved, mul(factor, top)), where(equal(columns, k), factor, moved));
    return {
      carry: [where(greater(rows, k), below, moved), swapped(order)],
      slices: [reshape(where(equal(pivot, k), 1, full([], -1)), [batch])],
    };
  });
  return { packed: carry[0], order: carry[1], parity: prod(slices[0], 0) };
}

const ordered = (x: Node, order: Node) => gather(x, broadcastTo(order, x.shape), 1);
/** Pᵀ · L⁻ᵀ · b. */
function throughLower(packed: Node, order: Node, b: Node): Node {
  const x = substitute(swapAxes(packed), b, { upper: true, unitDiagonal: true });
  return scatterAdd(broadcastTo(order, x.shape), x, 1, x.shape[1]);
}

/** a⁻¹ · b, or a⁻ᵀ · b: the value. */
function eliminated(packed: Node, order: Node, b: Node, isTransposed: boolean): Node {
  if (isTransposed) return throughLower(packed, order, substitute(swapAxes(packed), b, { upper: false }));
  const below = substitute(packed, ordered(b, order), { upper: false, unitDiagonal: true });
  return substitute(packed, below, { upper: true });
}

const solutions = [false, true].map((isTransposed) =>
  defineResult(isTransposed ? "solve transposed" : "solve", ({ grad, output, given: [a, , packed, order] }) => {
    const sides = solvedBy(a, grad, packed, order, !isTransposed);
    const outer = isTransposed ? product(output, swapAxes(sides)) : product(sides, swapAxes(output));
    return [neg(outer), sides, null, null];
  }),
);

/** With its gradients: of b a⁻ᵀ · g, of a −(a⁻ᵀ · g) · xᵀ. */
function solvedBy(a: Node, b: Node, packed: Node, order: Node, isTransposed: boolean): Node {
  const value = eliminated(packed, order, b, isTransposed);
  return solutions[Number(isTransposed)](value, a, b, packed, order);
}

const invertedBy = (a: Node, packed: Node, order: Node, isTransposed: boolean) =>
  solvedBy(a, identities(a.shape[0], a.shape[1]), packed, order, isTransposed);
const inverted = (a: Node): Node => {
  const { packed, order } = factorize(a);
  return invertedBy(a, packed, order, false);
};

/**
 * x with a · x = b, by elimination with partial pivoting, of several largest the lowest row. a: [..., n, n]; b: [n], or [..., n, columns] → b's shape; leading axes
 * broadcast. As NumPy's, a right-hand side of one axis is a vector, any other is matrices. Of a singular matrix elements are ∞ or NaN, where PyTorch raises. Throws
 * ShapeError, DTypeError.
 * @torch torch.linalg.solve
 */
export function solve(a: Node, b: Node): Node {
  const system = systemOf("solve", a, b);
  const { packed, order } = factorize(system.a);
  return system.restore(solvedBy(system.a, system.b, packed, order, false));
}

/** The inverse: [..., n, n] → [..., n, n], as `solve` of the identity. Of a singular matrix elements are ∞ or NaN, where PyTorch raises. Throws ShapeError, DTypeError. @torch torch.linalg.inv */
export function inverse(x: Node): Node {
  const { a, shaped } = matricesOf("inverse", x, true);
  return shaped(inverted(a));
}

/**
 * The adjugate of upper triangles, by no division: column j is eⱼ − C · (uⱼ · p), C the columns before it and pₖ the product of the diagonal between k and j;
 * then each row times the diagonal before it, each column times that behind it.
 */
function adjugate(u: Node): Node {
  const [batch, n] = extentsOf(u);
  const [rows, columns] = [rowNumbers(n), columnNumbers(n)];
  const { carry } = positions(n, [zerosLike(u), full([batch, n, 1], 0)], [], (j, [found, between]) => {
    const own = pick(u, j, 2);
    const column = sub(where(equal(rows, j), full([], 1), 0), product(found, mul(own, between)));
    const next = where(equal(rows, j), 1, mul(between, pick(own, j, 1)));
    return { carry: [where(equal(columns, j), column, found), next], slices: [] };
  });
  const [before, behind] = productsAround(pivots(u), 1);
  return mul(mul(carry[0], reshape(before, [batch, n, 1])), reshape(behind, [batch, 1, n]));
}

/** The sign of the permutation whose rows' old numbers these are: as many exchanges as pairs that stand the other way round. */
function parityOf(order: Node): Node {
  const n = order.shape[1];
  const isExchanged = logicalAnd(less(rowNumbers(n), columnNumbers(n)), greater(order, swapAxes(order)));
  return prod(where(isExchanged, full([], -1), 1), [1, 2]);
}

/** Products of all of s but two elements: [batch, n] → [batch, n, n], 0 on the diagonal. */
function butTwo(s: Node): Node {
  const [batch, n] = s.shape;
  const [i, j, k] = [1, 2, 3].map((axis) => coordinate([1, n, n, n], axis));
  const kept = where(logicalOr(equal(k, i), equal(k, j)), 1, reshape(s, [batch, 1, 1, n]));
  return mul(prod(kept, 3), sub(1, eye(n)));
}

/** The cofactors of a: the determinant's gradient, singular or not. Theirs is s · U · (diag(W · g) − W ∘ gᵀ) · Vᵀ of a = U·S·Vᵀ, g that in U and V, W `butTwo` of S, and s the sign of det(U·Vᵀ). */
const cofactors = defineResult("cofactors", ({ grad, given: [a] }) => {
  const { u, s, vh } = svd(a);
  const [batch, n] = extentsOf(a);
  const [within, others] = [product(product(swapAxes(u), grad), swapAxes(vh)), butTwo(s)];
  const sums = product(others, reshape(pivots(within), [batch, n, 1]));
  const middle = sub(mul(sums, eye(n)), mul(others, swapAxes(within)));
  const turned = reshape(slogdet(product(u, vh)).sign, [batch, 1, 1]);
  return [mul(turned, product(product(u, middle), vh))];
});

const determinant = defineResult("det", ({ grad, output, given: [a, packed, order] }) => {
  const [batch, n] = extentsOf(a);
  const each = (x: Node) => reshape(x, [batch, 1, 1]);
  const isSingular = each(any(equal(pivots(packed), 0), 1));
  const [regular, factors] = [a, packed].map((x) => where(isSingular, eye(n), x));
  const scaled = mul(each(mul(grad, output)), invertedBy(regular, factors, order, true));
  const value = mul(each(parityOf(order)), throughLower(packed, order, swapAxes(adjugate(packed))));
  // A regular matrix has no part in their gradient: its singular values may be infinite.
  const singular = where(isSingular, a, eye(n));
  return [where(isSingular, mul(each(grad), cofactors(value, singular)), scaled), null, null];
});

/** The determinant: [..., n, n] → [...], the product of the pivots; 1 of [0, 0]. Its gradient is det(x) · x⁻ᵀ; where a pivot is 0 it is the matrix of cofactors, by no division, and theirs by `svd`. Throws ShapeError, DTypeError. @torch torch.linalg.det */
export function det(x: Node): Node {
  const { a, shaped } = matricesOf("det", x, true);
  const { packed, order, parity } = factorize(a);
  const value = mul(parity, prod(pivots(packed), -1));
  return shaped(determinant(value, a, packed, order));
}

const pivots = (packed: Node) => diagonal(packed, { axis1: 1, axis2: 2 });

const logDeterminant = defineResult("slogdet", ({ grad, given: [a, packed, order] }) => [
  mul(reshape(grad, [a.shape[0], 1, 1]), invertedBy(a, packed, order, true)),
  null,
  null,
]);

/** The sign of determinants and the logarithm of their size. */
export interface SignAndLog {
  readonly sign: Node;
  readonly logAbsDet: Node;
}

/** Sign (−1, 0 or 1) and log |det| of matrices: [..., n, n] → both [...], where the determinant itself may be too large or too small. Of a singular matrix 0 and −∞. Throws ShapeError, DTypeError. @torch torch.linalg.slogdet */
export function slogdet(x: Node): SignAndLog {
  const { a, shaped } = matricesOf("slogdet", x, true);
  const { packed, order, parity } = factorize(a);
  const found = pivots(packed);
  return {
    sign: shaped(mul(parity, prod(sign(found), -1))),
    logAbsDet: shaped(logDeterminant(sum(log(abs(found)), -1), a, packed, order)),
  };
}

const unit = { upper: true, unitDiagonal: true };
/** Of P·x = L·U, by Walter and Lehmann (2010): P·dx = L⁻ᵀ · [tril(Lᵀ·dL, −1) + triu(dU·Uᵀ)] · U⁻ᵀ. */
const fromInner = (inner: Node, lower: Node, upper: Node) =>
  dividedBy(solved(swapAxes(lower), inner, unit), upper, { upper: true });
const lowerFactor = defineResult("lu lower", ({ grad, output, given: [x, upper] }) => {
  const u = upperFactor(upper, x, output);
  return [fromInner(tril(product(swapAxes(output), grad), -1), output, u), null];
});
const upperFactor: Result = defineResult("lu upper", ({ grad, output, given: [x, lower] }) => {
  const l = lowerFactor(lower, x, output);
  return [fromInner(triu(product(grad, swapAxes(output))), l, output), null];
});

/** A permutation matrix and two triangles. */
export interface LuFactors {
  readonly p: Node;
  readonly l: Node;
  readonly u: Node;
}

/** The factors of x = P · L · U, all [..., n, n]: a permutation matrix, a lower triangle with ones on its diagonal and an upper one; pivots are the largest, of several the lowest row. Square matrices only. Throws ShapeError, DTypeError. @torch torch.linalg.lu */
export function lu(x: Node): LuFactors {
  const { a, shaped } = matricesOf("lu", x, true);
  const [batch, n] = extentsOf(a);
  const { packed, order } = factorize(a);
  const rows = ordered(a, order);
  const [l, u] = [add(tril(packed, -1), eye(n)), triu(packed)];
  const places = broadcastTo(order, [batch, n, n]);
  const p = where(equal(swapAxes(places), broadcastTo(rowNumbers(n), [batch, n, n])), full([], 1), 0);
  return { p: shaped(p), l: shaped(lowerFactor(l, rows, u)), u: shaped(upperFactor(u, rows, l)) };
}

/** x · x · … · x, so many times, by squares: [..., n, n] → [..., n, n]; the identity for 0, of the inverse where negative. Throws ShapeError, DTypeError. @torch torch.linalg.matrix_power */
export function matrixPower(x: Node, exponent: number): Node {
  const { a, shaped } = matricesOf("matrixPower", x, true);
  if (!Number.isSafeInteger(exponent))
    refuse(ShapeError, "matrixPower", "not a whole number of times", exponent, "an integer");
  let [square, rest] = [exponent < 0 ? inverted(a) : a, Math.abs(exponent)];
  let power: Node | undefined;
  for (; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = power ? product(power, square) : square;
    if (rest > 1) square = product(square, square);
  }
  return shaped(power ?? identities(a.shape[0], a.shape[1]));
}

takes({ solve }, { a: tensor, b: tensor });
takes({ inverse, det, slogdet, lu }, { x: tensor });
takes({ matrixPower }, { x: tensor, exponent: number });
