// What is shared out among threads, and in which portions: a portion must be worth more than the barrier after it costs, and threads shouldn't
// write to one cache line. A thread takes a chunk at a time, so that one which is kept from running holds up no more than that: with another process on
// one of two cores, a step of a small model takes 1.6 times as long as alone; in one share for each thread it took 3.2 times.
import { alwaysComputed, children, type Expr, topological } from "../../kernels/expr.ts";
import { loopShape } from "../../kernels/kernel.ts";
import { type Kernel, kindOf } from "../../kernels/kinds.ts";
import { asProduct } from "../../kernels/product.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import type { Nest } from "./nest.ts";
import type { Division } from "./rows.ts";

/** Below this many elements of a lone axis a part of its own isn't worth its cache lines. */
export const grain = 64;

/** What threads share: an axis, its number of points, and the grain in whose multiples they are divided. */
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

/** Chunks per thread: taking them costs nothing that could be measured. */
const chunksPerThread = 4;

/**
 * Into how many chunks threads divide a function that shares these axes: 1 where it isn't worth it; else as many for each thread, up to four, as
 * have `shareFrom` work and `least` points each, at least one; and never more than there are portions of the grain.
 */
export function chunkCount(
  work: number,
  shared: readonly (Parallel | undefined)[],
  { threads, shareFrom }: Target,
  least = 1,
): number {
  if (threads === 1 || work < shareFrom) return 1;
  const most = (each: (parallel: Parallel) => number) =>
    Math.max(...shared.map((parallel) => (parallel ? each(parallel) : 1)));
  const portions = most(({ extent, grain }) => Math.ceil(extent / grain));
  const large = most(({ extent }) => Math.floor(extent / least));
  const rounds = Math.floor(Math.min(work / Math.max(1, shareFrom), portions, large) / threads);
  return Math.max(1, Math.min(portions, threads * Math.max(1, Math.min(chunksPerThread, rounds))));
}

/** An axis as threads share it; in a group its points follow the group's rows. */
export function parallelAxis(axis: number, extent: number, grain: number, blocks?: Division): Parallel {
  return { axis, extent, grain: blocks ? blocks.grain * (extent / blocks.rows) : grain };
}

const counts = new WeakMap<Expr, number>();

/** What an expression costs, roughly: the number of its operations that aren't rare. */
export function operationCount(body: Expr): number {
  const count =
    counts.get(body) ?? topological(body, alwaysComputed).filter((expr) => children(expr).length > 0).length;
  counts.set(body, count);
  return count;
}

/** What a kernel costs, roughly, in elementary operations. */
export function workOf(kernel: Kernel): number {
  if (kernel.kind !== "loop") return kindOf(kernel).work(kernel);
  return sizeOf(loopShape(kernel)) * (asProduct(kernel) ? 1 : 1 + operationCount(kernel.body));
}

/** The axis whose points are shared out: the outermost with enough of them, else the longest. */
export function splitAxis({ extents }: Pick<Nest, "extents">): number {
  const enough = extents.findIndex((extent, axis) => extent >= (axis === extents.length - 1 ? 1024 : 16));
  return enough >= 0 ? enough : extents.indexOf(Math.max(...extents));
}
