// Axes cut into parts, repeated and turned: composites of reshape, transpose, slice, broadcastTo and joins, so that nothing is computed and their gradients
// are free.
import { refuse, ShapeError } from "../core/errors.ts";
import { checkCount, normalizeAxis, withExtent } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axesKind, axisKind, either, kind, listed, number, numbers, takes, tensor } from "./arguments.ts";
import { flatten, moveAxis } from "./axes.ts";
import { constant } from "./creation.ts";
import { broadcastTo } from "./define.ts";
import { take } from "./gather.ts";
import { concat, flip, reshape, slice, transpose } from "./movement.ts";
import { alongAxis } from "./range.ts";

/** Parts of the given extents along an axis, the first unless given: [7, 2] by [3, 4] → [3, 2] and [4, 2]. Throws ShapeError unless they add up to the axis. @torch torch.split */
export function split(x: Node, sizes: readonly number[], axis = 0): Node[] {
  const at = normalizeAxis("split", axis, x.shape.length);
  for (const size of sizes) checkCount("split", "a part", size, 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== x.shape[at]) {
    const got = `[${sizes.join(", ")}] of ${x.shape[at]}`;
    refuse(ShapeError, "split", "the parts don't add up to the axis", got, `extents whose sum is ${x.shape[at]}`);
  }
  let end = 0;
  return sizes.map((size) => {
    end += size;
    return slice(x, alongAxis(at, [end - size, end]));
  });
}

/** At most `chunks` parts of ⌈extent ÷ chunks⌉ points along an axis, the first unless given; the last with what is left, as PyTorch's: 7 in 3 → 3, 3, 1. An empty axis gives one part. @torch torch.chunk */
export function chunk(x: Node, chunks: number, axis = 0): Node[] {
  checkCount("chunk", "the number of parts", chunks);
  const extent = x.shape[normalizeAxis("chunk", axis, x.shape.length)];
  const size = Math.max(1, Math.ceil(extent / chunks));
  const parts = Array.from({ length: Math.ceil(extent / size) }, (_, i) => Math.min(size, extent - i * size));
  return split(x, parts.length ? parts : [0], axis);
}

/** Each point of an axis, the first unless given, by itself, without that axis: [3, 2] → three of [2]. PyTorch's unbind. @torch torch.unbind */
export function unstack(x: Node, axis = 0): Node[] {
  const at = normalizeAxis("unstack", axis, x.shape.length);
  return Array.from({ length: x.shape[at] }, (_, i) => slice(x, alongAxis(at, i)));
}

/** The whole tensor repeated along each axis: [2, 3] by [2, 1] → [4, 3]. More counts than axes add axes in front. NumPy's tile, PyTorch's Tensor.repeat. @torch torch.tile */
export function tile(x: Node, counts: number | readonly number[]): Node {
  const given = listed(counts);
  for (const count of given) checkCount("tile", "a number of repeats", count, 0);
  const rank = Math.max(given.length, x.shape.length);
  const filled = (list: readonly number[]) => [...new Array(rank - list.length).fill(1), ...list];
  const [shape, times] = [filled(x.shape), filled(given)];
  const each = (pair: (axis: number) => number[]) => shape.flatMap((_, axis) => pair(axis));
  const ones = each((axis) => [1, shape[axis]]);
  const repeats = each((axis) => [times[axis], shape[axis]]);
  const stretched = broadcastTo(reshape(x, ones), repeats);
  const extents = shape.map((extent, axis) => extent * times[axis]);
  return reshape(stretched, extents);
}

/** Each element `repeats` times in a row, along an axis, or each point of the axis as often as a list says; of all, flattened, where no axis is given: [1, 2] twice → [1, 1, 2, 2]. PyTorch's repeat_interleave, NumPy's repeat. @torch torch.repeat_interleave */
export function repeatInterleave(x: Node, repeats: number | readonly number[], axis?: number): Node {
  for (const each of listed(repeats)) checkCount("repeatInterleave", "the number of repeats", each, 0);
  if (axis === undefined) return repeatInterleave(flatten(x), repeats, 0);
  const at = normalizeAxis("repeatInterleave", axis, x.shape.length);
  if (typeof repeats !== "number") {
    const [got, extent] = [repeats.length, x.shape[at]];
    if (got !== extent) refuse(ShapeError, "repeatInterleave", "not a number for each point", got, String(extent));
    const places = Int32Array.from(repeats.flatMap((count, i) => new Array<number>(count).fill(i)));
    return moveAxis(take(moveAxis(x, at, 0), constant(places, [places.length], "int32")), 0, at);
  }
  const [before, rest] = [x.shape.slice(0, at + 1), x.shape.slice(at + 1)];
  const stretched = broadcastTo(reshape(x, [...before, 1, ...rest]), [...before, repeats, ...rest]);
  return reshape(stretched, withExtent(x.shape, at, x.shape[at] * repeats));
}

/** Points moved on by `shift` along an axis, those past the end back in at the start; of several axes a shift each; of all, flattened, where none is given. [1, 2, 3] by 1 → [3, 1, 2]. @torch torch.roll */
export function roll(x: Node, shift: number | readonly number[], axis?: number | readonly number[]): Node {
  if (axis === undefined) return reshape(roll(flatten(x), shift, 0), x.shape);
  const [shifts, along] = [listed(shift), listed(axis)];
  if (shifts.length !== along.length || !shifts.every(Number.isSafeInteger)) {
    const got = `[${shifts.join(", ")}] and axes [${along.join(", ")}]`;
    refuse(ShapeError, "roll", "not a shift for each axis", got, "as many integers as axes");
  }
  return shifts.reduce<Node>((rolled, by, i) => {
    const at = normalizeAxis("roll", along[i], x.shape.length);
    const extent = x.shape[at];
    const start = extent === 0 ? 0 : ((by % extent) + extent) % extent;
    if (start === 0) return rolled;
    const part = (from: number, to: number) => slice(rolled, alongAxis(at, [from, to]));
    return concat([part(extent - start, extent), part(0, extent - start)], at);
  }, x);
}

/** Turned by 90° `times` times, from the first of two axes towards the second, as NumPy's: [2, 3] → [3, 2]. @torch torch.rot90 */
export function rot90(x: Node, times = 1, axes: readonly number[] = [0, 1]): Node {
  const [a, b] = axes.map((axis) => normalizeAxis("rot90", axis, x.shape.length));
  if (axes.length !== 2 || a === b || !Number.isSafeInteger(times)) {
    const got = `${times} times in the plane of [${axes.join(", ")}]`;
    refuse(ShapeError, "rot90", "not a turn in a plane", got, "an integer and two different axes");
  }
  const turns = ((times % 4) + 4) % 4;
  if (turns === 2) return flip(x, [a, b]);
  if (turns === 0) return x;
  const order = x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis));
  return turns === 1 ? transpose(flip(x, b), order) : flip(transpose(x, order), b);
}

const sizesKind = kind("a list of extents", numbers.accepts, (_, value) =>
  typeof value === "number"
    ? `of ${value} parts it is chunk(x, ${value}); parts by their extents are a list: split(x, [2, 3])`
    : undefined,
);
takes({ split }, { x: tensor, sizes: sizesKind, "axis?": axisKind });
takes({ chunk }, { x: tensor, chunks: number, "axis?": axisKind });
takes({ unstack }, { x: tensor, "axis?": axisKind });
takes({ tile }, { x: tensor, counts: axesKind }, "the counts are one list: x.tile([2, 1])");
takes({ repeatInterleave }, { x: tensor, repeats: either(number, numbers), "axis?": axisKind });
takes({ roll }, { x: tensor, shift: axesKind, "axis?": axesKind });
takes({ rot90 }, { x: tensor, "times?": number, "axes?": numbers });
