// Kernels with a fold. Over the last axes each output reads a row, in blocks of lanes; a row that no single stride walks, or whose elements take stages, is gathered
// in scratch first, block by block, but for rows of a few whole vectors each, which are read where they lie; and one long row to one number is shared by its blocks. Over other
// axes neighbouring outputs run side by side. Measured:
// 8 vectors side by side 2.8 times as fast as one (a sum over 4096 rows of 256), 16 where pairs of vectors run as one 1.35 to 1.7 times as fast as 8 (one row by
// 1024 × 1024, a sum over 128 rows of 1024), a pooling window's terms written out 1.45 times (maxPool2d).
// Of few outputs side by side those that fill no vector run as one with some before them: one by one, a maximum branches on
// what it finds, and a step of two small convolutions with pooling takes 1.17 times as long.
import type { Expr } from "../../kernels/expr.ts";
import {
  blockSize,
  chunkSize,
  elementBytes,
  type FoldKernel,
  isArgument,
  laneCount,
  loopShape,
} from "../../kernels/kernel.ts";
import type { Target } from "../compile/target.ts";
import { sizeOf } from "../core/shape.ts";
import { mergeAxes, written } from "./merge.ts";
import { inScratch, type Nest, type NestInput } from "./nest.ts";
import { type Cost, operationCount, type Parallel, parallelAxis, splitAxis } from "./parallel.ts";
import type { Division } from "./rows.ts";
import { segments } from "./split.ts";
import { scratchOf, shortestStrip } from "./stages.ts";
import { type RowLoops, type Rows, rowLoops, unrolling } from "./vectorise.ts";

/** Elements of a gathered row that may wait in scratch: two blocks, however long the row is. */
export const waitingSize = 2 * blockSize;
/** Vectors of outputs that run side by side: as many sums as fit in registers, where pairs of vectors run as one twice as many. */
const mostBeside = ({ lanes, vectorWidth }: Target) => (8 * vectorWidth) / lanes;
/** Outputs side by side without SIMD: what they have in common is read once. */
const scalars = 4;
/**
 * Up to this many terms of an output are written out without loops: a pooling window's, a depthwise filter's. Sums and products of them run one vector after
 * another: of 7 side by side V8 loads all terms first and runs out of registers, which took 2.2 times as long.
 */
const fewTerms = 9;
/** Blocks of a row to one number that are worth a barrier: with two threads a sum of 100,000 takes 0.78 times as long, of 4 million half; of 20,000 it took 1.08 times. */
const longRow = 64;

/** A fold over the last axes. */
export interface ContiguousFold {
  readonly kind: "contiguous fold";
  /** Its last input, the output, stays along the last axes. */
  readonly nest: Nest;
  readonly count: number;
  readonly parallel: Parallel;
  /** Where in scratch memory accumulators are written and read again after a block's last round: undefined where no two vectors run as one. */
  readonly park: number | undefined;
  /** What gathers a row in scratch, a block at a time, where it isn't straight or its elements are computed in stages; undefined where it is read in place. */
  readonly gather: RowLoops | undefined;
  /**
   * Rows are read where they lie, and vectors of sums take turns. Measured against gathering them: rows of 4 take 0.46 of the time on Node 26 and 0.63 on Node 20, of 16 as long and
   * 0.64, of 64 as long and 0.94; a depthwise convolution with its gradients, rows of 28 of which most stay in the second cache, 0.83.
   */
  readonly takesTurns: boolean;
}

/** One long row: its blocks' values, which threads share, go to the first thread's scratch … */
export interface BlockFold {
  readonly kind: "blocks";
  readonly nest: Nest;
  readonly count: number;
  readonly blocks: number;
  /** As a contiguous fold's. */
  readonly park: number | undefined;
  readonly parallel: Parallel;
}

/** … and it joins them in order. */
export interface JoinFold {
  readonly kind: "join";
  readonly blocks: number;
  readonly parallel: undefined;
}

/** A fold over other axes: rows of neighbouring outputs, side by side. */
export interface StridedFold extends Rows {
  readonly kind: "strided fold";
  readonly count: number;
  /** Terms of a chunk; undefined for where the extreme is. */
  readonly chunk: number | undefined;
  /** Terms that are written out, 1: none. */
  readonly writtenTerms: number;
  readonly parallel: Parallel;
}

export type FoldLoops = ContiguousFold | BlockFold | JoinFold | StridedFold;

const sideBySide = (vectors: number): number[] => (vectors > 1 ? [vectors, 1] : [1]);

/** How many of a row's vectors run side by side: so many that none is left over, where those aren't too few. */
function beside(vectors: number, widest: number): number[] {
  const all = Math.floor(vectors);
  if (all < widest) return sideBySide(all);
  for (let width = widest; width > widest / 2; width--) if (all % width === 0) return sideBySide(width);
  return sideBySide(widest);
}

export function foldLoops(
  kernel: FoldKernel,
  target: Target,
  group: Division | undefined,
): (FoldLoops & Partial<Cost>)[] {
  const { shape, inputs, body, fold } = kernel;
  const { combine, order, reduced } = fold;
  const { lanes } = target;
  const nest = mergeAxes(loopShape(kernel), [...inputs, written(kernel, reduced)], shape.length);
  const count = sizeOf(reduced);
  const outer = { extents: nest.extents.slice(0, nest.outer) };
  const isIndex = isArgument(combine);
  // Where the extreme is doesn't depend on an order.
  if (order === "chunks" || isIndex) {
    const axis = nest.outer - 1;
    const split = group ? 0 : splitAxis(outer);
    const isSimple = unrolling(nest, axis, body, lanes) > 1;
    const isWritten = count <= fewTerms;
    const isChain = isWritten && (combine === "sum" || combine === "prod");
    const vectors = isChain
      ? sideBySide(target.vectorWidth / lanes)
      : beside(nest.extents[axis] / lanes, mostBeside(target));
    return [
      {
        kind: "strided fold",
        nest,
        count,
        axis,
        lanes,
        widths: lanes === 1 ? (isIndex ? [] : [scalars]) : isIndex || !isSimple ? [1] : vectors,
        overlaps: true,
        segments: segments(nest, axis),
        chunk: isIndex ? undefined : chunkSize,
        writtenTerms: isWritten ? count : 1,
        parallel: parallelAxis(split, nest.extents[split], split === axis ? 16 : 1, group),
      },
    ];
  }
  const isStraight = nest.extents.length === nest.outer + 1 && nest.inputs.every(({ bounds }) => !bounds[nest.outer]);
  const blocks = Math.ceil(count / blockSize);
  if (!group && target.threads > 1 && sizeOf(shape) === 1 && isStraight && count >= longRow * blockSize) {
    const parallel = parallelAxis(1, blocks, 16);
    return [
      { kind: "blocks", nest, count, blocks, parallel, ...parking(4 * blocks, target) },
      { kind: "join", blocks, parallel: undefined, work: 0 },
    ];
  }
  const gather = gatherLoops(nest, body, target);
  const isInPlace = isStraight && gather.stages === null;
  const split = group ? 0 : splitAxis(outer);
  const takesTurns = !isInPlace && target.groups && combine === "sum" && hasWholeVectors(nest, body, target);
  const isGathered = !isInPlace && !takesTurns;
  return [
    {
      kind: "contiguous fold",
      nest,
      count,
      parallel: parallelAxis(split, nest.extents[split], 1, group),
      gather: isGathered ? gather : undefined,
      takesTurns,
      ...parking(isGathered ? gatheredBytes(body) + scratchOf(gather.stages) : 0, target),
    },
  ];
}

/** Scratch memory of so many bytes, with room behind them for accumulators: 16 lanes, twice where NaN is looked for beside. */
const parking = (bytes: number, { lanes, vectorWidth }: Target) =>
  lanes > 1 && vectorWidth > lanes
    ? { park: bytes, scratch: bytes + 2 * 4 * laneCount }
    : { park: undefined, scratch: bytes };

/** Bytes of scratch memory that a row's elements wait in, before those of stages. */
export const gatheredBytes = ({ type }: Expr): number => elementBytes({ dtype: type }) * waitingSize;

/** Rows of more vectors would be too much code, written out. */
const mostVectors = 16;

/** Whether the rows along the last axis are a few whole vectors each, of float32 that lie side by side. */
function hasWholeVectors({ extents, inputs, outer }: Nest, body: Expr, { lanes }: Target): boolean {
  const last = extents.length - 1;
  const vectors = extents[last] / lanes;
  if (lanes === 1 || last === outer || !Number.isInteger(vectors) || vectors > mostVectors) return false;
  const isPlain = ({ strides, bounds, source, index, pair }: NestInput) =>
    typeof source === "number" && !index && pair === undefined && !bounds[last] && (strides[last] & ~1) === 0;
  return body.type === "float32" && operationCount(body) <= 4 && inputs.every(isPlain);
}

/** Scratch memory in place of the output: the row's elements into it, in order, one walk along the last axis. */
function gatherLoops(nest: Nest, body: Expr, target: Target): RowLoops {
  const strides = nest.extents.map((_, axis) => (axis === nest.extents.length - 1 ? 1 : 0));
  const inputs = [...nest.inputs.slice(0, -1), inScratch(body.type, strides)];
  const hasScratch = nest.extents[nest.extents.length - 1] >= shortestStrip;
  return rowLoops({ ...nest, inputs }, body, target, { isCut: true, hasScratch });
}
