// How many of a tensor's elements lie where: equal buckets from the least to the greatest. The bounds and counts are exact float64 arithmetic on
// the elements in their order, so the same tensor always gives the same histogram.

import { checkArguments, either, kind, numbers, signature } from "../core/arguments.ts";

/** A tensor's elements by size. Those that aren't finite are left out; −0 is 0. */
export interface Histogram {
  /** The least and the greatest element. */
  readonly min: number;
  readonly max: number;
  /** How many elements were counted. */
  readonly count: number;
  /** Of the elements and of their squares, added in order. */
  readonly sum: number;
  readonly sumOfSquares: number;
  /** The upper bound of each bucket, ascending; the last is `max`. A bucket holds what is less than its bound and isn't in an earlier one, the last one its bound too. */
  readonly limits: readonly number[];
  /** How many elements each bucket holds. */
  readonly counts: readonly number[];
}

const buckets = 30;

const call = signature("histogramOf", {
  elements: either(
    numbers,
    kind(
      "an array of them",
      (value) =>
        ArrayBuffer.isView(value) && typeof (value as Partial<Float32Array>)[0] !== "bigint" && "length" in value,
    ),
  ),
});

/** 30 buckets of equal width, or one where all elements are equal. Undefined where no element is finite. */
export function histogramOf(elements: ArrayLike<number>): Histogram | undefined {
  checkArguments(call, arguments);
  let [count, sum, sumOfSquares] = [0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < elements.length; i++) {
    const x = elements[i] + 0;
    if (!Number.isFinite(x)) continue;
    count++;
    sum += x;
    sumOfSquares += x * x;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (count === 0) return undefined;
  const width = max - min;
  const limits = width === 0 ? [max] : Array.from({ length: buckets }, (_, i) => min + (width * (i + 1)) / buckets);
  limits[limits.length - 1] = max;
  const counts = new Array<number>(limits.length).fill(0);
  for (let i = 0; i < elements.length; i++) {
    const x = elements[i];
    if (Number.isFinite(x)) counts[bucketOf(x, limits, min, width)]++;
  }
  return { min, max, count, sum, sumOfSquares, limits, counts };
}

/** The first bucket whose bound is above x: a guess by division, put right by the bounds themselves. */
function bucketOf(x: number, limits: readonly number[], min: number, width: number): number {
  const last = limits.length - 1;
  let at = width === 0 ? 0 : Math.min(last, Math.floor(((x - min) / width) * buckets));
  while (at > 0 && x < limits[at - 1]) at--;
  while (at < last && x >= limits[at]) at++;
  return at;
}
