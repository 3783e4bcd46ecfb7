// Diagonals and triangles of matrices. A diagonal is read by steps through the matrix's elements, so it costs its own length.
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis, otherAxes } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axisKind, number, options, takes, tensor } from "./arguments.ts";
import { assemble } from "./assemble.ts";
import { greaterEqual, lessEqual } from "./compare.ts";
import { coordinate } from "./creation.ts";
import { full } from "./define.ts";
import { add, where } from "./elementwise.ts";
import { reshape, slice, transpose } from "./movement.ts";
import { alongAxis } from "./range.ts";
import { sum } from "./reduce.ts";

function checkMatrix(name: string, x: Node, offset: number): void {
  if (x.shape.length >= 2 && Number.isSafeInteger(offset)) return;
  const problem = "no diagonal there";
  refuse(ShapeError, name, problem, `${formatShape(x.shape)}, offset ${offset}`, "at least two axes, and an integer");
}

function triangle(name: string, x: Node, offset: number, kept: (column: Node, border: Node) => Node): Node {
  checkMatrix(name, x, offset);
  const shape = x.shape.slice(-2);
  return where(kept(coordinate(shape, 1), add(coordinate(shape, 0), offset)), x, 0);
}

/** The elements of each matrix on and above a diagonal, 0 below. x: [..., rows, columns]; `offset` > 0: the diagonal that many places above the main one. @torch torch.triu */
export function triu(x: Node, offset = 0): Node {
  return triangle("triu", x, offset, greaterEqual);
}

/** The elements of each matrix on and below a diagonal, 0 above. x: [..., rows, columns]; `offset` > 0: the diagonal that many places above the main one. @torch torch.tril */
export function tril(x: Node, offset = 0): Node {
  return triangle("tril", x, offset, lessEqual);
}

/** Which diagonal, of which matrices. */
export interface DiagonalOptions {
  /** Places above the main diagonal; below it where negative. 0 unless given. */
  readonly offset?: number;
  /** The axis of rows; the first unless given. */
  readonly axis1?: number;
  /** The axis of columns; the second unless given. */
  readonly axis2?: number;
}

/** Where a diagonal begins in row-major order, and its length. */
function diagonalOf(rows: number, columns: number, offset: number): { start: number; count: number } {
  const [row, column] = offset < 0 ? [-offset, 0] : [0, offset];
  return { start: row * columns + column, count: Math.max(0, Math.min(rows - row, columns - column)) };
}

/** The diagonal of two axes, as a last axis: [rows, columns, ...] → [..., min(rows, columns)] for offset 0. Throws ShapeError. @torch torch.diagonal */
export function diagonal(x: Node, options: DiagonalOptions = {}): Node {
  const { offset = 0, axis1 = 0, axis2 = 1 } = options;
  checkMatrix("diagonal", x, offset);
  const [a, b] = [axis1, axis2].map((axis) => normalizeAxis("diagonal", axis, x.shape.length));
  if (a === b)
    refuse(ShapeError, "diagonal", "rows and columns on one axis", `${axis1} and ${axis2}`, "two different axes");
  const rest = otherAxes(x.shape.length, [a, b]);
  const kept = rest.map((axis) => x.shape[axis]);
  const [rows, columns] = [x.shape[a], x.shape[b]];
  const { start, count } = diagonalOf(rows, columns, offset);
  const flat = reshape(transpose(x, [...rest, a, b]), [...kept, rows * columns]);
  return slice(flat, alongAxis(rest.length, [start, start + count * (columns + 1), columns + 1]));
}

/** Of a vector [n] the matrix [n + |offset|, n + |offset|] with it on a diagonal and 0 elsewhere; of a matrix its diagonal, as NumPy's and PyTorch's. Throws ShapeError on other ranks. @torch torch.diag */
export function diag(x: Node, offset = 0): Node {
  if (x.shape.length === 2) return diagonal(x, { offset });
  if (x.shape.length !== 1 || !Number.isSafeInteger(offset)) {
    const got = `${formatShape(x.shape)}, offset ${offset}`;
    const hint = "diagonals of more axes are diagonal(x, { axis1, axis2 })";
    refuse(ShapeError, "diag", "neither a vector nor a matrix", got, "[n] or [rows, columns], and an integer", hint);
  }
  const size = x.shape[0] + Math.abs(offset);
  if (x.shape[0] === 0) return full([size, size], 0, x.dtype);
  const { start } = diagonalOf(size, size, offset);
  return reshape(assemble([x], [{ starts: [start], steps: [size + 1] }], [size * size]), [size, size]);
}

/** Sum of the diagonal of two axes: [rows, columns, ...] → [...]. float32 or int32. @torch torch.trace */
export function trace(x: Node, options: DiagonalOptions = {}): Node {
  return sum(diagonal(x, options), -1);
}

const which = options<DiagonalOptions>({ "offset?": number, "axis1?": axisKind, "axis2?": axisKind });
takes({ triu, tril, diag }, { x: tensor, "offset?": number });
takes({ diagonal, trace }, { x: tensor, "options?": which }, "the offset goes by name: { offset: 1 }");
