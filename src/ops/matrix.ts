// What linear algebra is made of: matrices in one batch, and results whose gradient is a formula of theirs. The loops that compute them (columns.ts) aren't
// differentiated: a formula costs less and is defined where a loop's choices (a pivot, a sign, a rotation) aren't.
import { refuse, ShapeError } from "../core/errors.ts";
import { broadcastShapes, type Shape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { eye } from "./creation.ts";
import { broadcastTo, checkFloat, defineMovement, floatOnly, makeNode } from "./define.ts";
import { reshape } from "./movement.ts";

/** Gradients of a result's `given`, null where none flows. They are linear in `grad`, and made of ops that differentiate again. */
export type Formula = (context: {
  readonly grad: Node;
  readonly output: Node;
  readonly given: readonly Node[];
}) => readonly (Node | null)[];

const formulas = new Map<string, Formula>();

/** What makes a node of a result's value: `given` are what it was computed from, and what else its formula reads. */
export type Result = (value: Node, ...given: Node[]) => Node;

/** Says the gradient of one result. */
export function defineResult(name: string, formula: Formula): Result {
  formulas.set(name, formula);
  return (value, ...given) => makeNode("linalg", [value, ...given], value.shape, { result: name });
}

defineMovement({
  name: "linalg",
  batch: "joined",
  dtype: ([value]) => floatOnly([value], {}, "linalg"),
  vjp: ({ inputs: [, ...given], output, grad, attributes }) => [
    null,
    ...formulas.get(attributes.result as string)!({ grad, output, given }),
  ],
});

/** Throws DTypeError unless x is float32, ShapeError unless it is matrices, with `isSquare` square ones. */
function checkMatrices(name: string, x: Node, isSquare = false): void {
  checkFloat(name, x);
  const [rows, columns] = x.shape.slice(-2);
  if (x.shape.length >= 2 && (!isSquare || rows === columns)) return;
  if (!isSquare) refuse(ShapeError, name, "not a matrix", x, "[..., rows, columns]");
  const hint = x.shape.length >= 2 ? "of other systems lstsq is the solution, pinverse the inverse" : undefined;
  refuse(ShapeError, name, "not a square matrix", x, "[..., n, n]", hint);
}

/** Matrices with all leading axes as one. */
function batched(x: Node): Node {
  return reshape(x, [sizeOf(x.shape.slice(0, -2)), ...x.shape.slice(-2)]);
}

/** Matrices as one batch, and what gives results of theirs, [batch, ...], their leading axes. Throws as `checkMatrices`. */
export function matricesOf(name: string, x: Node, isSquare = false): { a: Node; shaped(result: Node): Node } {
  checkMatrices(name, x, isSquare);
  return { a: batched(x), shaped: (result) => reshape(result, [...x.shape.slice(0, -2), ...result.shape.slice(1)]) };
}

/** Identity matrices: [batch, n, n]. */
export const identities = (batch: number, n: number): Node => broadcastTo(eye(n), [batch, n, n]);

/** A matrix and right-hand sides as two batches of one size, and what gives a solution its shape. b: [n], or [..., n, columns]. */
export function systemOf(
  name: string,
  a: Node,
  b: Node,
  isSquare = true,
): { a: Node; b: Node; restore(x: Node): Node } {
  checkMatrices(name, a, isSquare);
  if (b.dtype !== "float32") checkMatrices(name, b);
  const isVector = b.shape.length === 1;
  const sides = isVector ? reshape(b, [...b.shape, 1]) : b;
  const [rows, columns] = a.shape.slice(-2);
  if (sides.shape.length < 2 || sides.shape[sides.shape.length - 2] !== rows)
    refuse(ShapeError, name, "not as many right-hand sides as rows", [a, b], `[${rows}] or [..., ${rows}, columns]`);
  const lead = broadcastShapes(name, a.shape.slice(0, -2), sides.shape.slice(0, -2));
  const spread = (x: Node) => batched(broadcastTo(x, [...lead, ...x.shape.slice(-2)]));
  return {
    a: spread(a),
    b: spread(sides),
    restore: (x) => reshape(x, [...lead, columns, ...(isVector ? [] : [sides.shape[sides.shape.length - 1]])]),
  };
}

/** a · b of two batches; never rounded under `autocast`. */
export function product(a: Node, b: Node): Node {
  return makeNode("matmul", [a, b], [...a.shape.slice(0, -1), b.shape[b.shape.length - 1]]);
}

/** A matrix's shape, of a batch. */
export const extentsOf = (x: Node): readonly [batch: number, rows: number, columns: number] =>
  x.shape as Shape as readonly [number, number, number];
