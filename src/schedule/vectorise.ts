// The innermost loop: vectors run along the last axis, where elements lie side by side. Short bodies are repeated 2 or 4 times per round, which shares
// the loop's own cost (an addition of 64 K elements 1.9 times as fast, a chain of five operations 1.3 times); long ones fill the processor by
// themselves; the longest are taken apart into stages. Where an engine runs neighbouring vectors as one, each round has at least two.
import type { Expr } from "../../kernels/expr.ts";
import type { Target } from "../compile/target.ts";
import type { Nest } from "./nest.ts";
import { operationCount } from "./parallel.ts";
import { type Segment, segments } from "./split.ts";
import { type Stages, shortestStrip, stagesOf } from "./stages.ts";

/** A nest of which every point computes `body`, row by row; its last input is what is written. */
export interface RowLoops {
  readonly nest: Nest;
  readonly body: Expr;
  /** Elements at once along the last axis; what is left over is computed one at a time. */
  readonly lanes: number;
  /** Vectors per round of the loop. */
  readonly unroll: number;
  readonly segments: readonly (Segment & { readonly isStaged: boolean })[];
  readonly stages: Stages | null;
}

/** `isCut`: only a part of the last axis is walked, which one being known when it is run. `hasScratch`: there is memory for stages. */
export function rowLoops(
  nest: Nest,
  body: Expr,
  { lanes, vectorWidth }: Target,
  { isCut, hasScratch }: { readonly isCut: boolean; readonly hasScratch: boolean },
): RowLoops {
  const axis = nest.extents.length - 1;
  const stages = lanes > 1 && hasScratch ? stagesOf(body, nest.inputs.length, vectorWidth) : null;
  return {
    nest,
    body,
    lanes,
    unroll: Math.max(unrolling(nest, axis, body, lanes), vectorWidth / lanes),
    segments: segments(nest, axis).map((segment) => ({
      ...segment,
      isStaged: stages !== null && (isCut || segment.end - segment.begin >= shortestStrip),
    })),
    stages,
  };
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
