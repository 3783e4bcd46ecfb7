// Shapes: arithmetic on extents, axes and row-major strides. No shape rule of any op lives here.
import { refuse, ShapeError, showValue } from "./errors.ts";

/** Extents, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** The number of elements: the product of the extents, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** A tensor's type as text: `float32[2, 3]`. */
export function typeText({ dtype, shape }: { readonly dtype: string; readonly shape: Shape }): string {
  return dtype + formatShape(shape);
}

/** Checks extents: safe integers ≥ 0 whose product is safe too. Throws ShapeError. */
export function checkShape(where: string, shape: Shape): Shape {
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0)
      refuse(ShapeError, where, "an extent is not a count", formatShape(shape), "integers ≥ 0");
  }
  if (!Number.isSafeInteger(sizeOf(shape)))
    refuse(ShapeError, where, "too many elements", formatShape(shape), "a product below 2^53");
  return Object.freeze([...shape]);
}

/** Throws ShapeError unless the value is an integer ≥ `least`. */
export function checkCount(where: string, what: string, value: number, least = 1): void {
  if (!Number.isSafeInteger(value) || value < least)
    refuse(ShapeError, where, `${what} isn't a count`, showValue(value), `an integer ≥ ${least}`);
}

/** The shape with another extent on one axis. */
export const withExtent = (shape: Shape, axis: number, extent: number): number[] =>
  shape.map((each, i) => (i === axis ? extent : each));

/** The axes of a rank that aren't among these. */
export const otherAxes = (rank: number, axes: readonly number[]): number[] =>
  Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));

/** One axis, negatives counted from the end, as an index in [0, rank). Throws ShapeError. */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const expected = rank === 0 ? "no axis: the tensor is a scalar" : `an integer in [${-rank}, ${rank - 1}]`;
    refuse(ShapeError, where, "axis out of range", axis, expected);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Axes as ascending unique indices; `undefined` means all of them. Throws ShapeError on a repeated one. */
export function normalizeAxes(where: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return otherAxes(rank, []);
  const list = typeof axes === "number" ? [axes] : axes;
  const normal = list.map((axis) => normalizeAxis(where, axis, rank)).sort((a, b) => a - b);
  if (new Set(normal).size !== normal.length)
    refuse(ShapeError, where, "an axis is named twice", `[${list.join(", ")}]`, "each axis once");
  return normal;
}

/** NumPy's broadcast of two shapes. Throws ShapeError naming `where`. */
export function broadcastShapes(where: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      const got = `${formatShape(a)} and ${formatShape(b)}`;
      refuse(ShapeError, where, "shapes don't broadcast", got, "extents equal or 1, aligned at the last axis");
    }
    out[rank - i] = x === 1 ? y : x;
  }
  return out;
}
