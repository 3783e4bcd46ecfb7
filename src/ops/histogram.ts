// Counting: how many elements there are of each integer, or in each bin.
import { refuse, ShapeError } from "../core/errors.ts";
import { sameShape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { count as countKind, either, listOf, number, numbers, options, takes, tensor } from "./arguments.ts";
import { equal } from "./compare.ts";
import { arange, constant } from "./creation.ts";
import { checkFloat, full } from "./define.ts";
import { add, div, minimum, mul, sub, where } from "./elementwise.ts";
import { scatterAdd } from "./gather.ts";
import { reshape, slice } from "./movement.ts";
import { max, min } from "./reduce.ts";
import { searchSorted } from "./sort.ts";

/**
 * How many elements each integer in [0, length) has, as `torch.bincount`, whose length follows from the data: x: [...] int32 → [length] int32; or the sums of
 * their weights, x's shape, float32, in ascending position. An integer outside is an error when run.
 * @torch torch.bincount
 */
export function bincount(x: Node, length: number, weights?: Node): Node {
  if (weights && !sameShape(weights.shape, x.shape))
    refuse(ShapeError, "bincount", "a weight for each element", [x, weights], "one shape");
  const flat = [sizeOf(x.shape)];
  const updates = weights ? reshape(weights, flat) : full(flat, 1, "int32");
  return scatterAdd(reshape(x, flat), updates, 0, length);
}

/** How many bins (10), or their edges in ascending order; and of a number of bins from where to where (from the least element to the largest). */
export interface HistogramOptions {
  readonly bins?: number | readonly number[];
  readonly range?: readonly number[];
}

/** How many elements are in each bin, and where bins begin and end. */
export interface Histogram {
  /** [bins] int32. */
  readonly counts: Node;
  /** [bins + 1] float32, ascending. */
  readonly edges: Node;
}

/** Edges of equally wide bins, and the last of them. */
function evenEdges(x: Node, bins: number, range: readonly number[] | undefined): { edges: Node; high: Node } {
  const [least, most] = range ? range.map((each) => full([], each)) : [min(x), max(x)];
  const more = where(equal(least, most), full([], 0.5), 0);
  const [low, high] = [sub(least, more), add(most, more)];
  const parts = div(arange(0, bins + 1, { dtype: "float32" }), bins);
  return { edges: where(equal(parts, 1), high, minimum(add(low, mul(sub(high, low), parts)), high)), high };
}

/** Whether edges are numbers that float32 tells apart, in ascending order. */
const areEdges = (edges: readonly number[]): boolean =>
  edges.length > 1 && edges.every((each, i) => i === 0 || Math.fround(edges[i - 1]) < Math.fround(each));

/**
 * How many elements fall into each bin, as NumPy's `histogram`: x: [...] float32. Edge i of equally wide bins is min(low + (high − low)·fround(i ÷ bins), high); a bin
 * has its lower edge, the last its upper one too. NaN and what lies outside the range isn't counted. Where low is high the range is half a unit wider on both sides.
 * @torch torch.histogram
 */
export function histogram(x: Node, options: HistogramOptions = {}): Histogram {
  const { bins = 10, range } = options;
  checkFloat("histogram", x);
  const isRange = !range || (range.length === 2 && range[0] <= range[1] && range[1] - range[0] < Infinity);
  if (typeof bins === "number" ? bins < 1 || !isRange : range || !areEdges(bins)) {
    const edges = `[${bins}]${range ? `, and a range [${range}]` : ""}`;
    const got = typeof bins === "number" ? `${bins} in [${range ?? ""}]` : edges;
    const expected = "at least one, in a finite range [low, high], or edges alone, two or more float32 that ascend";
    refuse(ShapeError, "histogram", "no such bins", got, expected);
  }
  const count = typeof bins === "number" ? bins : bins.length - 1;
  const { edges, high } =
    typeof bins === "number"
      ? evenEdges(x, bins, range)
      : { edges: constant(Float32Array.from(bins), [bins.length], "float32"), high: full([], bins[count]) };
  // 0 is below all bins, one more than their number above them.
  const found = where(equal(x, high), count, searchSorted(edges, x, { right: true }));
  return { counts: slice(bincount(found, count + 2), [[1, count + 1]]), edges };
}

takes({ bincount }, { x: tensor, length: countKind, "weights?": tensor });
const binning = options<HistogramOptions>({
  "bins?": either(countKind, numbers),
  "range?": listOf(number, "a range [low, high]"),
});
takes({ histogram }, { x: tensor, "options?": binning });
