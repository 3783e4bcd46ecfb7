// The innermost loop: vectors run along an axis where elements lie side by side. Short bodies are repeated 2 or 4 times per round, which shares
// the loop's own cost (an addition of 64 K elements 1.9 times as fast, a chain of five operations 1.3 times); long ones fill the processor by
// themselves; the longest are taken apart into stages. Where an engine runs neighbouring vectors as one, each round has at least two.
import type { Expr } from "../../kernels/expr.ts";
import type { Target } from "../compile/target.ts";
import { LazyModule } from "../core/lazy.ts";
import type { Band } from "./bands.ts";
import type { Nest } from "./nest.ts";
import { operationCount } from "./parallel.ts";
import { type Segment, segments } from "./split.ts";
import { type Stages, shortestStrip, stagesOf } from "./stages.ts";

/** A nest that is walked in rows: what is computed of neighbouring points along an axis is computed at once. */
export interface Rows {
  readonly nest: Nest;
  /** The axis that rows run along; those behind it are walked for each of their points. */
  readonly axis: number;
  /** Elements of a vector. */
  readonly lanes: number;
  /** Vectors per round of the loop, one choice after another; what is left over is computed one element at a time … */
  readonly widths: readonly number[];
  /** … or as a vector that ends with the row, if that is long enough: some points are computed once more, so nothing that is read may be what is written. */
  readonly overlaps: boolean;
  readonly segments: readonly Segment[];
  /** In place of the segments, and of bounds on the axis before: bands of that axis. */
  readonly bands?: readonly Band[];
}

/** Rows along the last axis, of which every point computes `body`. */
export interface RowLoops extends Rows {
  readonly body: Expr;
  /** Computed stage by stage over strips of a row, not at once. */
  readonly stages: Stages | null;
  /** Each point has an index of its own, or adds to what the one before wrote: nothing stays the same along a row. */
  readonly isApart: boolean;
}

const bandsOf = new LazyModule(() => import("./bands.ts"));

/** Vectors where what is written lies side by side. `isCut`: only a part of the last axis is walked, which one being known when it is run. `hasScratch`: there is memory for stages. */
export function rowLoops(
  given: Nest,
  body: Expr,
  target: Target,
  { isCut, hasScratch }: { readonly isCut: boolean; readonly hasScratch: boolean },
): RowLoops {
  const { lanes: most, vectorWidth, groups } = target;
  const axis = given.extents.length - 1;
  const { [given.inputs.length - 1]: output } = given.inputs;
  const isApart =
    output.strides[axis] === 0 ||
    given.inputs.some(({ index }) => index !== undefined && given.inputs[index.at].strides[axis] !== 0);
  const lanes = output.strides[axis] === 1 && !isApart ? most : 1;
  // Whether rows end, or are left out, where an input does.
  const hasBounds = given.inputs.some(({ bounds }) => bounds[axis] || bounds[axis - 1]);
  const isBanded = groups && !isCut && hasScratch && hasBounds;
  const banded = isBanded ? bandsOf.module.inBands(given, body, lanes > 1 ? vectorWidth : 1) : null;
  const { nest, bands } = banded ?? { nest: given };
  const isLong = isCut || nest.extents[axis] >= shortestStrip;
  const stages = lanes > 1 && hasScratch && isLong && !bands ? stagesOf(body, nest.inputs.length, vectorWidth) : null;
  // A stage's rounds share its loop's own cost.
  const unroll = stages ? vectorWidth / 2 : Math.max(unrolling(nest, axis, body, lanes), vectorWidth / most);
  const widths = [...new Set([unroll, stages ? 2 : 1])];
  const rows = {
    nest,
    axis,
    lanes,
    widths: lanes > 1 ? widths : [],
    overlaps: false,
    segments: segments(nest, axis),
    bands,
  };
  return { ...rows, body, stages, isApart };
}

/** How many vectors a round takes along an axis. */
export function unrolling(nest: Nest, axis: number, body: Expr, lanes: number): number {
  const isPlain = nest.inputs.every(
    ({ strides, source, pair }) =>
      pair === undefined && (strides[axis] === 0 || (strides[axis] === 1 && source !== "coordinate")),
  );
  if (lanes === 1 || !isPlain) return 1;
  const operations = operationCount(body);
  return operations <= 8 ? 4 : operations <= 24 ? 2 : 1;
}
