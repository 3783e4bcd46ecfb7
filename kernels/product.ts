// Products of matrices among loops: a sum in chunks of a·b in which a is the same along the columns and b the same along the rows. What a schedule
// tiles and packs is found here, by the loop's form alone.
import type { Shape } from "../src/core/shape.ts";
import { type FoldKernel, isFold, type Kernel, type KernelInput } from "./kernel.ts";
import { repeatView, transposeView, type View } from "./view.ts";

/** out[batch…, i, j] = Σₖ a[batch…, i, k] · b[batch…, k, j]. */
export interface Product {
  readonly batch: Shape;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** View over [...batch, rows, depth]. */
  readonly a: KernelInput;
  /** View over [...batch, depth, columns]. */
  readonly b: KernelInput;
}

const found = new WeakMap<Kernel, Product | null>();

/** The product that a kernel is, or null. The same object each time. */
export function asProduct(kernel: Kernel): Product | null {
  let product = found.get(kernel);
  if (product === undefined) {
    product = isFold(kernel) ? find(kernel) : null;
    found.set(kernel, product);
  }
  return product;
}

function find({ shape, fold, inputs, body, dtype }: FoldKernel): Product | null {
  const { combine, order, reduced } = fold;
  const rank = shape.length;
  if (combine !== "sum" || order !== "chunks" || dtype !== "float32" || rank < 2 || reduced.length !== 1) return null;
  if (inputs.length !== 2 || body.kind !== "binary" || body.op !== "mul") return null;
  if (body.a.kind !== "input" || body.b.kind !== "input" || body.a.index === body.b.index) return null;
  const isPlain = ({ source, view, index }: KernelInput) =>
    typeof source === "number" && !index && !view.bounds.some(Boolean);
  if (!inputs.every(isPlain)) return null;
  const stays = ({ view }: KernelInput, axis: number) => view.strides[axis] === 0 || shape[axis] === 1;
  const fits = (a: KernelInput, b: KernelInput) => stays(a, rank - 1) && stays(b, rank - 2);
  const [x, y] = [inputs[body.a.index], inputs[body.b.index]];
  if (!fits(x, y) && !fits(y, x)) return null;
  const [a, b] = fits(x, y) ? [x, y] : [y, x];
  const batch = [...shape.keys()].slice(0, -2);
  const over = (input: KernelInput, axes: readonly number[]): KernelInput => ({
    ...input,
    view: transposeView(input.view, [...batch, ...axes]),
  });
  return {
    batch: shape.slice(0, -2),
    rows: shape[rank - 2],
    columns: shape[rank - 1],
    depth: reduced[0],
    a: over(a, [rank - 2, rank]),
    b: over(b, [rank, rank - 1]),
  };
}

/** The operands' views over [...batch, rows, columns, depth], from views over [...batch, rows, depth] and [...batch, depth, columns]. */
export function productViews(a: View, b: View): [View, View] {
  const rank = a.shape.length;
  const [rows, columns] = [a.shape[rank - 2], b.shape[rank - 1]];
  const sideways = transposeView(b, [...b.shape.keys()].slice(0, -2).concat(rank - 1, rank - 2));
  return [repeatView(a, rank - 1, columns), repeatView(sideways, rank - 2, rows)];
}
