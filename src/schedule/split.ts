// Axes taken apart and put together otherwise. Tiles use up a cache line before it leaves the cache (a transposed 1024 × 1024 read 6 times as
// fast); a last axis of two points becomes pairs, so that four elements are computed at once whatever the views (3 to 7 times as fast); and an axis is cut
// at the borders of bounds, so that the innermost loop asks nothing.
import type { Expr } from "../../kernels/expr.ts";
import type { Nest, NestInput } from "./nest.ts";

/** The last two axes as one where the last has two points, so that a row is longer than that. As it is where they have bounds. */
export function inPairs(nest: Nest): Nest {
  const last = nest.extents.length - 1;
  const isFree = nest.inputs.every(({ bounds }) => !bounds[last - 1] && !bounds[last]);
  if (nest.extents[last] !== 2 || last - 1 < nest.outer || !isFree) return nest;
  const joined = <T>(values: readonly T[], one: T): T[] => [...values.slice(0, last - 1), one];
  return {
    ...nest,
    extents: joined(nest.extents, 2 * nest.extents[last - 1]),
    inputs: nest.inputs.map((input) => {
      const { [last - 1]: stride, [last]: pair } = input.strides;
      const isEven = stride === 2 * pair;
      const strides = joined(input.strides, isEven ? pair : stride);
      return { ...input, strides, bounds: joined(input.bounds, null), pair: isEven ? undefined : pair };
    }),
  };
}

/** A tile's extents: along an axis that some input walks in small steps the first that divides it, and along the last axis. */
const heights = [16, 8] as const;
const width = 8;
const lineBytes = 64;
/** Below this many elements all of it stays in the cache anyway. */
const worthTiles = 8192;

/**
 * The nest in tiles where an input walks the last axis in steps longer than a cache line and another axis within one: a line is used up
 * before it leaves the cache. The same points, each once. As it is where extents don't divide, the axes have bounds, or points come in pairs.
 */
export function inTiles(nest: Nest): Nest {
  const last = nest.extents.length - 1;
  const step = (input: NestInput, axis: number) => Math.abs(input.strides[axis]) * input.scale;
  const isFree = (axis: number) => nest.inputs.every(({ bounds, pair }) => !bounds[axis] && pair === undefined);
  let axis = last - 1;
  const crosses = (input: NestInput) =>
    typeof input.source === "number" &&
    step(input, last) >= lineBytes &&
    step(input, axis) > 0 &&
    step(input, axis) < lineBytes;
  while (axis >= nest.outer && !nest.inputs.some(crosses)) axis--;
  if (axis < nest.outer || !isFree(axis) || !isFree(last)) return nest;
  const { [axis]: rows, [last]: columns } = nest.extents;
  const height = heights.find((each) => rows % each === 0);
  if (height === undefined || columns % width !== 0 || rows * columns < worthTiles) return nest;
  const split = (
    values: readonly number[],
    coarse: (value: number, size: number) => number,
    fine: readonly number[],
  ) => [
    ...values.slice(0, axis),
    coarse(values[axis], height),
    ...values.slice(axis + 1, last),
    coarse(values[last], width),
    ...fine,
  ];
  return {
    ...nest,
    extents: split(nest.extents, (extent, size) => extent / size, [height, width]),
    inputs: nest.inputs.map((input) => ({
      ...input,
      strides: split(input.strides, (stride, size) => stride * size, [input.strides[axis], input.strides[last]]),
      bounds: [...input.bounds, null, null],
    })),
  };
}

/** A part of the last axis in which every bound of it is decided. */
export interface Segment {
  readonly begin: number;
  readonly end: number;
  /** For each input: whether this axis' bounds cover the segment. */
  readonly inside: readonly boolean[];
  /** What its points compute, where that isn't the whole expression. */
  readonly body?: Expr;
}

/** The axis cut where a bound begins or ends. */
export function segments(nest: Nest, axis: number): Segment[] {
  const extent = nest.extents[axis];
  const cuts = new Set([0, extent]);
  for (const { bounds } of nest.inputs) for (const cut of bounds[axis] ?? []) cuts.add(cut);
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => {
    const begin = sorted[i];
    const inside = nest.inputs.map(({ bounds }) => {
      const bound = bounds[axis];
      return !bound || (bound[0] <= begin && end <= bound[1]);
    });
    return { begin, end, inside };
  });
}
