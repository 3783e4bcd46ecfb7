// Products of matrices among loops: a sum in chunks of a·b in which a is the same along the columns and b the same along the rows. Rows, columns and
// terms may each be several axes, as a convolution's are: windows of an image, read where they lie. What a schedule tiles and packs is found here, by
// the loop's form alone.

import { remembered } from "../src/core/remembered.ts";
import { type Shape, sizeOf } from "../src/core/shape.ts";
import { type FoldKernel, isFold, type KernelBase, type KernelInput, type LoopKernel } from "./kernel.ts";
import { repeatView, transposeView, type View } from "./view.ts";

/** out[batch…, i, j] = Σₖ a[batch…, i, k] · b[batch…, k, j], where i, j and k each count the points of one or more axes, row-major. */
export interface Product {
  readonly batch: Shape;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** How many axes the rows are, the columns and the terms. */
  readonly axes: { readonly rows: number; readonly columns: number; readonly depth: number };
  /** View over [...batch, ...rows, ...depth]. */
  readonly a: KernelInput;
  /** View over [...batch, ...depth, ...columns]. */
  readonly b: KernelInput;
}

const found = new WeakMap<KernelBase, Product | null>();

/** The product that a kernel is, or null. The same object each time. */
export function asProduct(kernel: LoopKernel | KernelBase): Product | null {
  return remembered(found, kernel, () => (isFold(kernel) ? find(kernel) : null));
}

function find({ shape, fold, inputs, body, dtype }: FoldKernel): Product | null {
  const { combine, order, reduced } = fold;
  if (combine !== "sum" || order !== "chunks" || dtype !== "float32") return null;
  if (inputs.length !== 2 || body.kind !== "binary" || body.op !== "mul") return null;
  if (body.a.kind !== "input" || body.b.kind !== "input" || body.a.index === body.b.index) return null;
  const isPlain = ({ source, view, index }: KernelInput) =>
    typeof source === "number" && !index && !view.bounds.some(Boolean);
  if (!inputs.every(isPlain)) return null;
  const [x, y] = [inputs[body.a.index], inputs[body.b.index]];
  return divide(shape, reduced, x, y) ?? divide(shape, reduced, y, x);
}

/** The product of a left and a right operand: columns are the last axes, along which a stays, rows those before them, along which b stays; at least one each. */
function divide(shape: Shape, reduced: Shape, a: KernelInput, b: KernelInput): Product | null {
  const stays = ({ view }: KernelInput, axis: number) => view.strides[axis] === 0 || shape[axis] === 1;
  /** The first of the axes that end before `end`, along which the one stays and the other moves; of the last of them nothing is asked of the other. */
  const first = (end: number, one: KernelInput, other: KernelInput) => {
    let axis = end;
    while (axis > 0 && stays(one, axis - 1) && (axis === end || !stays(other, axis - 1))) axis--;
    return axis;
  };
  const rank = shape.length;
  const column = first(rank, a, b);
  const row = first(column, b, a);
  if (row === column || column === rank) return null;
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const [batch, rows, columns] = [range(0, row), range(row, column), range(column, rank)];
  const depth = range(rank, rank + reduced.length);
  const over = (input: KernelInput, axes: readonly number[]): KernelInput => ({
    ...input,
    view: transposeView(input.view, [...batch, ...axes]),
  });
  return {
    batch: shape.slice(0, row),
    rows: sizeOf(shape.slice(row, column)),
    columns: sizeOf(shape.slice(column)),
    depth: sizeOf(reduced),
    axes: { rows: rows.length, columns: columns.length, depth: depth.length },
    a: over(a, [...rows, ...depth]),
    b: over(b, [...depth, ...columns]),
  };
}

/** The operands' views over [...batch, rows, columns, depth], from views over [...batch, rows, depth] and [...batch, depth, columns]. */
export function productViews(a: View, b: View): [View, View] {
  const rank = a.shape.length;
  const [rows, columns] = [a.shape[rank - 2], b.shape[rank - 1]];
  const sideways = transposeView(b, [...b.shape.keys()].slice(0, -2).concat(rank - 1, rank - 2));
  return [repeatView(a, rank - 1, columns), repeatView(sideways, rank - 2, rows)];
}
