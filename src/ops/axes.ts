// Axes added, dropped, moved and joined: composites of reshape and transpose, so that nothing is computed and their gradients are free.
import { refuse, ShapeError } from "../core/errors.ts";
import { normalizeAxes, normalizeAxis, otherAxes, sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { axesKind, axisKind, listed, takes, tensor } from "./arguments.ts";
import { reshape, transpose } from "./movement.ts";

/** Drops axes of extent 1: all of them, or those named. [2, 1, 3] → [2, 3]. Throws ShapeError where a named axis is longer (PyTorch leaves it, NumPy throws). @torch torch.squeeze */
export function squeeze(x: Node, axis?: number | readonly number[]): Node {
  const dropped = axis === undefined ? undefined : normalizeAxes("squeeze", axis, x.shape.length);
  const long = dropped?.find((i) => x.shape[i] !== 1);
  if (long !== undefined)
    refuse(ShapeError, "squeeze", `axis ${long} holds more than one point`, x, "an axis of extent 1");
  const kept = x.shape.filter((extent, i) => (dropped ? !dropped.includes(i) : extent !== 1));
  return reshape(x, kept);
}

/** New axes of extent 1, placed as in the result: [2, 3] with axis 1 → [2, 1, 3]. NumPy's expand_dims, PyTorch's unsqueeze. @torch torch.unsqueeze */
export function expandDims(x: Node, axis: number | readonly number[]): Node {
  const rank = x.shape.length + listed(axis).length;
  const added = normalizeAxes("expandDims", axis, rank);
  const old = [...x.shape];
  const shape = Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : old.shift()!));
  return reshape(x, shape);
}

/** Axes moved to other places, the rest in their order: [2, 3, 4] from 0 to −1 → [3, 4, 2]. PyTorch's movedim. Throws ShapeError unless as many places as axes. @torch torch.movedim */
export function moveAxis(x: Node, from: number | readonly number[], to: number | readonly number[]): Node {
  const rank = x.shape.length;
  const [sources, places] = [from, to].map((axes) => {
    normalizeAxes("moveAxis", axes, rank);
    return listed(axes).map((axis) => normalizeAxis("moveAxis", axis, rank));
  });
  if (sources.length !== places.length) {
    const problem = "not a place for each axis";
    refuse(ShapeError, "moveAxis", problem, `${sources.length} and ${places.length}`, "lists of one length");
  }
  const rest = otherAxes(rank, sources);
  const order = x.shape.map((_, i) => (places.includes(i) ? sources[places.indexOf(i)] : rest.shift()!));
  return transpose(x, order);
}

/** Axes `start` … `end`, the last included, as one: [2, 3, 4] → [24]; from 1: [2, 12]. A scalar gives [1]. NumPy's ravel. Throws ShapeError. @torch torch.flatten */
export function flatten(x: Node, start = 0, end = -1): Node {
  if (x.shape.length === 0) return reshape(x, [1]);
  const [first, last] = [start, end].map((axis) => normalizeAxis("flatten", axis, x.shape.length));
  if (first > last) {
    const problem = "the last axis stands before the first";
    refuse(ShapeError, "flatten", problem, `${start} and ${end}`, "a first axis, and one that isn't before it");
  }
  const size = sizeOf(x.shape.slice(first, last + 1));
  return reshape(x, [...x.shape.slice(0, first), size, ...x.shape.slice(last + 1)]);
}

takes({ squeeze }, { x: tensor, "axis?": axesKind });
takes({ expandDims }, { x: tensor, axis: axesKind }, "several axes are one list: expandDims(x, [0, 2])");
takes({ moveAxis }, { x: tensor, from: axesKind, to: axesKind });
takes({ flatten }, { x: tensor, "start?": axisKind, "end?": axisKind });
