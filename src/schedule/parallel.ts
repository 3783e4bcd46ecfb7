// What is shared out among threads, and in which portions: a portion must be worth more than the barrier after it costs, and threads shouldn't
// write to one cache line.
import { children, type Expr, topological } from "../../kernels/expr.ts";
import { blockSize, type FoldKernel, type Kernel, loopShape } from "../../kernels/kernel.ts";
import { asProduct } from "../../kernels/product.ts";
import { sizeOf } from "../core/shape.ts";
import { mergeAxes } from "./merge.ts";
import type { Nest } from "./nest.ts";
import type { Division } from "./rows.ts";

/** Below this many elements of a lone axis a part of its own isn't worth its cache lines. */
export const grain = 64;

/** What threads share: an axis of so many points, in multiples of a grain. */
export interface Parallel {
  readonly axis: number;
  readonly extent: number;
  readonly grain: number;
}

/** What a function costs when it is run. */
export interface Cost {
  /** In elementary operations. */
  readonly work: number;
  /** Bytes of thread-local scratch. */
  readonly scratch: number;
}

/** An axis as threads share it; in a group its points follow the group's rows. */
export function parallelAxis(axis: number, extent: number, grain: number, blocks?: Division): Parallel {
  return { axis, extent, grain: blocks ? blocks.grain * (extent / blocks.rows) : grain };
}

const counts = new WeakMap<Expr, number>();

/** What an expression costs, roughly: the number of its operations. */
export function operationCount(body: Expr): number {
  const count = counts.get(body) ?? topological(body).filter((expr) => children(expr).length > 0).length;
  counts.set(body, count);
  return count;
}

/** What a kernel costs, roughly, in elementary operations. */
export function workOf(kernel: Kernel): number {
  const size = sizeOf(kernel.shape);
  switch (kernel.kind) {
    case "loop":
      return sizeOf(loopShape(kernel)) * (asProduct(kernel) ? 1 : 1 + operationCount(kernel.body));
    case "scatter":
      return sizeOf(kernel.updates.view.shape);
    case "assemble":
      return size;
    case "random":
      return 4 * size;
  }
}

/** The axis whose points are shared out: the outermost with enough of them, else the longest. */
export function splitAxis({ extents }: Pick<Nest, "extents">): number {
  const enough = extents.findIndex((extent, axis) => extent >= (axis === extents.length - 1 ? 1024 : 16));
  return enough >= 0 ? enough : extents.indexOf(Math.max(...extents));
}

/** Whether a fold to one number is worth cutting into its blocks: they are what several parts share, and one of them adds up. */
export function isLongRow(kernel: FoldKernel): boolean {
  const { shape, inputs, fold } = kernel;
  const { order, combine, reduced } = fold;
  const count = sizeOf(reduced);
  if (order !== "lanes" || combine === "argmax" || combine === "argmin" || sizeOf(shape) !== 1) return false;
  const nest = mergeAxes(loopShape(kernel), inputs, shape.length);
  return count >= 16 * blockSize && nest.extents.length === 2 && nest.inputs.every(({ bounds }) => !bounds[1]);
}
