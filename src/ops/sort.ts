// Sorting along an axis, and what is read off a sorted line. Sorting is stable, NaN stands last whichever way, −0 equals 0.
import { refuse, ShapeError } from "../core/errors.ts";
import { portion } from "../core/portion.ts";
import { normalizeAxis, sameShape, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { padAlong } from "./along.ts";
import { axisKind, boolean, either, number, numbers, oneOf, options, takes, tensor } from "./arguments.ts";
import { moveAxis } from "./axes.ts";
import { less, lessEqual, logicalAnd, logicalNot, logicalOr, notEqual } from "./compare.ts";
import type { Found } from "./cumulative.ts";
import {
  broadcastTo,
  checkFloat,
  numbers as comparable,
  defineOp,
  full,
  makeNode,
  nextAxis,
  placing,
} from "./define.ts";
import { add, minimum, mul, sub, where } from "./elementwise.ts";
import { gather } from "./gather.ts";
import { reshape, slice, stack } from "./movement.ts";
import { alongAxis } from "./range.ts";
import { axesOption, keptShape, type Over, optionsFor, overKind, overWith, type ReduceOptions } from "./reduction.ts";

defineOp({
  name: "argsort",
  kind: "special",
  of: "sort",
  version: 1,
  batch: nextAxis,
  kernel: ({ attributes }) => ({
    axis: attributes.axis as number,
    isDescending: attributes.descending as boolean,
  }),
  dtype: placing,
  vjp: "none",
});

/** Along which axis (−1), and which way. */
export interface SortOptions {
  readonly axis?: number;
  readonly descending?: boolean;
}

const sortOptions = (given: number | SortOptions): SortOptions => (typeof given === "number" ? { axis: given } : given);

/** Where along an axis, the last unless given, the elements are in ascending order, as `torch.argsort` with `stable`: x: [...] float32 or int32 → [...] int32. NaN last, in descending order too. @torch torch.argsort */
export function argsort(x: Node, given: number | SortOptions = {}): Node {
  const { axis = -1, descending = false } = sortOptions(given);
  return makeNode("argsort", [x], x.shape, { axis: normalizeAxis("argsort", axis, x.shape.length), descending });
}

/** The elements in ascending order along an axis, the last unless given: x: [...] float32 or int32 → [...]. Stable, NaN last (`torch.sort` puts NaN first in descending order). A gradient goes back to where each element came from. @torch torch.sort */
export function sort(x: Node, given: number | SortOptions = {}): Node {
  const { axis = -1, descending = false } = sortOptions(given);
  const at = normalizeAxis("sort", axis, x.shape.length);
  return gather(x, argsort(x, { axis: at, descending }), at);
}

/** Along which axis (−1), and whether the largest (true) or the smallest. */
export interface TopKOptions {
  readonly axis?: number;
  readonly largest?: boolean;
}

/** The k largest elements along an axis, the last unless given, in descending order, and where they are: x: [..., n, ...] → values [..., k, ...], indices int32. Equal ones in their own order; NaN counts after all numbers, where `torch.topk` takes it first. Throws ShapeError unless 0 ≤ k ≤ n. @torch torch.topk */
export function topK(x: Node, k: number, options: TopKOptions = {}): Found {
  const { axis = -1, largest = true } = options;
  const at = normalizeAxis("topK", axis, x.shape.length);
  if (!(Number.isInteger(k) && k >= 0 && k <= x.shape[at]))
    refuse(ShapeError, "topK", "not so many elements", k, `an integer in [0, ${x.shape[at]}]`);
  const order = argsort(x, { axis: at, descending: largest });
  const indices = slice(order, alongAxis(at, [0, k]));
  return { values: gather(x, indices, at), indices };
}

/** The reduced axes as one last axis, in order, NaN last; and the shape that results have. */
function sortedLines(name: string, x: Node, over: Over) {
  const { keepDims = false } = optionsFor(over);
  const axes = axesOption(name, x, over);
  const count = sizeOf(axes.map((i) => x.shape[i]));
  if (count === 0) refuse(ShapeError, name, "nothing to reduce", x, "at least one element");
  const outer = x.shape.filter((_, i) => !axes.includes(i));
  const last = axes.map((_, i) => outer.length + i);
  const lines = sort(reshape(moveAxis(x, axes, last), [...outer, count]));
  const at = (i: number) => slice(lines, alongAxis(outer.length, i));
  const most = at(count - 1);
  /** NaN where there is one. */
  const orNaN = (value: Node) => where(notEqual(most, most), most, value);
  const shape = keepDims ? keptShape(x.shape, axes) : outer;
  return { count, at, give: (value: Node) => reshape(orNaN(value), shape) };
}

/** The middle element over axes (all if left out), of an even number the lower of the two, as `torch.median`: x: float32 or int32. NaN where there is one. The mean of both is `quantile(x, 0.5)`. @torch torch.median */
export function median(x: Node, over: Over = {}): Node {
  const { count, at, give } = sortedLines("median", x, over);
  return give(at(Math.floor((count - 1) / 2)));
}

const interpolations = ["linear", "lower", "higher", "nearest", "midpoint"] as const;

/** Which axes, and what is taken between two elements: a + (b − a)·t (`linear`, unless given), one of them (`nearest`: of two as near the one of even place), or a + (b − a)·½. */
export interface QuantileOptions extends ReduceOptions {
  readonly interpolation?: (typeof interpolations)[number];
}

/** The q-th quantile over axes (all if left out), q in [0, 1], between the two nearest elements by a + (b − a)·t unless `interpolation` says otherwise, as `torch.quantile`: x: float32. A list of q's gives a first axis. NaN where there is one. @torch torch.quantile */
export function quantile(
  x: Node,
  q: number | readonly number[],
  over: number | readonly number[] | QuantileOptions = {},
): Node {
  checkFloat("quantile", x);
  if (typeof q !== "number") return stack(q.map((each) => quantile(x, each, over)));
  if (!(q >= 0 && q <= 1)) refuse(ShapeError, "quantile", "not a quantile", q, "a number in [0, 1]");
  const { interpolation = "linear", ...axes } = optionsFor(over) as QuantileOptions;
  const { count, at, give } = sortedLines("quantile", x, axes);
  const place = portion(q, count - 1);
  const low = Math.floor(place);
  const part = place - low;
  const isUpper = interpolation === "nearest" && (part > 0.5 || (part === 0.5 && low % 2 === 1));
  if (part === 0 || interpolation === "lower" || (interpolation === "nearest" && !isUpper)) return give(at(low));
  if (isUpper || interpolation === "higher") return give(at(low + 1));
  const [a, b] = [at(low), at(low + 1)];
  return give(add(a, mul(sub(b, a), interpolation === "midpoint" ? 0.5 : part)));
}

/** Which side of equal elements: before them, or with `right` behind them. */
export interface SearchOptions {
  readonly right?: boolean;
}

/** What stands behind all elements. */
const most = { float32: NaN, int32: 2 ** 31 - 1, uint32: 2 ** 32 - 1 } as const;

/**
 * Where values would be put into lines that ascend so that they still do, as `torch.searchsorted`: sorted: [n], values: [...] → [...] int32 in [0, n]; or sorted:
 * [..., n], values: [..., m], of the same leading axes. NaN counts above all numbers. By bisection, n's bits long; what isn't sorted gives some number in [0, n].
 * @torch torch.searchsorted
 */
export function searchSorted(sorted: Node, values: Node, options: SearchOptions = {}): Node {
  const { right = false } = options;
  const dtype = comparable([sorted.dtype, values.dtype], {}, "searchSorted") as keyof typeof most;
  const rank = sorted.shape.length;
  const count = sorted.shape[rank - 1];
  const lead = (x: Node) => x.shape.slice(0, -1);
  if (rank === 0 || (rank > 1 && !sameShape(lead(sorted), lead(values)))) {
    const problem = "lines and values don't fit";
    refuse(ShapeError, "searchSorted", problem, [sorted, values], "[n] and any shape, or [..., n] and [..., m]");
  }
  if (count === 0) return full(values.shape, 0, "int32");
  const asked = rank === 1 ? reshape(values, [-1]) : values;
  const isMissing = notEqual(asked, asked);
  const isBefore = (element: Node) =>
    right
      ? logicalOr(lessEqual(element, asked), isMissing)
      : logicalOr(less(element, asked), logicalAnd(isMissing, logicalNot(notEqual(element, element))));
  // Lines of 2ᵇ − 1, so that bisection never leaves them: what is added comes behind everything.
  const half = 1 << (31 - Math.clz32(count));
  const lines = padAlong(sorted, rank - 1, [0, 2 * half - 1 - count], most[dtype]);
  let at = full(asked.shape, half - 1, "int32");
  let element = broadcastTo(slice(lines, alongAxis(rank - 1, [half - 1, half])), asked.shape);
  for (let step = half / 2; step >= 1; step /= 2) {
    at = add(at, where(isBefore(element), step, full([], -step, "int32")));
    element = gather(lines, at, rank - 1);
  }
  const place = where(isBefore(element), add(at, 1), at);
  return reshape(minimum(place, count), values.shape);
}

const sorting = either(axisKind, options<SortOptions>({ "axis?": number, "descending?": boolean }));
const byName = "the way goes by name, as in x.sort({ descending: true })";
takes({ argsort, sort }, { x: tensor, "axis?": sorting }, byName);
takes({ topK }, { x: tensor, k: number, "options?": options<TopKOptions>({ "axis?": number, "largest?": boolean }) });
takes({ median }, { x: tensor, "over?": overKind });
const between = overWith({ "interpolation?": oneOf(interpolations) });
takes({ quantile }, { x: tensor, q: either(number, numbers), "over?": between });
takes({ searchSorted }, { sorted: tensor, values: tensor, "options?": options<SearchOptions>({ "right?": boolean }) });
