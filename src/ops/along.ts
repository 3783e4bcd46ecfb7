// What is the same everywhere but along one axis.
import { dtypeOf, type TypedArray } from "../core/dtype.ts";
import { type Shape, withExtent } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import { constant } from "./creation.ts";
import { broadcastTo } from "./define.ts";
import { gather } from "./gather.ts";
import { pad } from "./pad.ts";

/** Values along an axis, repeated over the rest of a shape. */
export function valuesAlong(shape: Shape, axis: number, values: TypedArray): Node {
  const flat = shape.map((_, i) => (i === axis ? values.length : 1));
  return broadcastTo(constant(values, flat, dtypeOf(values)), withExtent(shape, axis, values.length));
}

/** Points added before and after those of one axis. */
export function padAlong(x: Node, axis: number, added: readonly [before: number, after: number], value = 0): Node {
  const amounts = x.shape.map((_, i) => (i === axis ? added : [0, 0]));
  return pad(x, amounts, value);
}

/** The points of an axis at these places, in this order. */
export function pointsAlong(x: Node, axis: number, places: readonly number[]): Node {
  return gather(x, valuesAlong(x.shape, axis, Int32Array.from(places)), axis);
}
