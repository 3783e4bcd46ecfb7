// Views: how a point of a loop nest finds its element in a row-major buffer, as an affine index with bounds. Movement ops change views
// and copy nothing; where no affine view exists the answer is null, and the compiler makes a copy first.
import { type Shape, sizeOf, stridesOf } from "../src/core/shape.ts";

/** Element (i₀, i₁, …) of the loop nest is buffer[offset + Σ iₐ·stridesₐ] where every bounded coordinate lies in its bounds, elsewhere 0. */
export interface View {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
  /** Per axis `[low, high)` or null: outside, nothing is read and the value is 0. */
  readonly bounds: readonly (readonly [number, number] | null)[];
}

/** The view of a whole row-major buffer. */
export function contiguousView(shape: Shape): View {
  return { shape, strides: stridesOf(shape), offset: 0, bounds: shape.map(() => null) };
}

/** The view whose value is the coordinate along `axis`, when read as an index rather than an element. */
export function coordinateView(shape: Shape, axis: number): View {
  return { shape, strides: shape.map((_, i) => (i === axis ? 1 : 0)), offset: 0, bounds: shape.map(() => null) };
}

/** Whether reading the view in order is reading its buffer in order. */
export function isContiguous(view: View): boolean {
  if (view.offset !== 0 || view.bounds.some(Boolean)) return false;
  const strides = stridesOf(view.shape);
  return view.shape.every((extent, axis) => extent === 1 || view.strides[axis] === strides[axis]);
}

/** Axis `i` of the result is axis `permutation[i]` of the view. Axes that are left out stay at 0. */
export function transposeView(view: View, permutation: readonly number[]): View {
  return {
    shape: permutation.map((axis) => view.shape[axis]),
    strides: permutation.map((axis) => view.strides[axis]),
    offset: view.offset,
    bounds: permutation.map((axis) => view.bounds[axis]),
  };
}

/** Stretches axes of extent 1 and adds leading ones. The bounds of a stretched axis hold for its one element: kept when they exclude it. */
export function broadcastView(view: View, shape: Shape): View {
  const lead = shape.length - view.shape.length;
  const stretched = (axis: number) => view.shape[axis - lead] === 1 && shape[axis] !== 1;
  return {
    shape,
    strides: shape.map((_, axis) => (axis < lead || stretched(axis) ? 0 : view.strides[axis - lead])),
    offset: view.offset,
    bounds: shape.map((_, axis) => {
      if (axis < lead) return null;
      const bound = view.bounds[axis - lead];
      return bound && stretched(axis) ? (bound[0] <= 0 && bound[1] > 0 ? null : [0, 0]) : bound;
    }),
  };
}

/** A new axis along which nothing changes. */
export function repeatView(view: View, axis: number, extent: number): View {
  const inserted = <T>(values: readonly T[], value: T): T[] => [...values.slice(0, axis), value, ...values.slice(axis)];
  return {
    shape: inserted(view.shape, extent),
    strides: inserted(view.strides, 0),
    offset: view.offset,
    bounds: inserted(view.bounds, null),
  };
}

/** Takes start, start + step, … along each axis; steps may be negative, not 0. */
export function sliceView(view: View, starts: readonly number[], steps: readonly number[], shape: Shape): View {
  let offset = view.offset;
  const strides = view.strides.map((stride, axis) => {
    offset += starts[axis] * stride;
    return stride * steps[axis];
  });
  const bounds = view.bounds.map((bound, axis): [number, number] | null => {
    if (!bound) return null;
    const [start, step] = [starts[axis], steps[axis]];
    const [low, high] =
      step > 0
        ? [Math.ceil((bound[0] - start) / step), Math.ceil((bound[1] - start) / step)]
        : [Math.ceil((bound[1] - 1 - start) / step), Math.floor((bound[0] - start) / step) + 1];
    return [Math.max(low, 0), Math.min(high, shape[axis])];
  });
  return { shape, strides, offset, bounds };
}

/** Windows of `size` points, `dilation` apart, along an axis, `step` from one to the next: the axis counts them, and a last axis runs inside. Null where the axis is bounded. */
export function unfoldView(view: View, axis: number, size: number, step: number, dilation = 1): View | null {
  const bound = view.bounds[axis];
  if (bound && (bound[0] > 0 || bound[1] < view.shape[axis])) return null;
  const count = Math.floor((view.shape[axis] - dilation * (size - 1) - 1) / step) + 1;
  return {
    shape: [...view.shape.map((extent, i) => (i === axis ? count : extent)), size],
    strides: [...view.strides.map((stride, i) => (i === axis ? stride * step : stride)), view.strides[axis] * dilation],
    offset: view.offset,
    bounds: [...view.bounds.map((other, i) => (i === axis ? null : other)), null],
  };
}

/** Adds `before[axis]` and `after[axis]` points that read nothing. */
export function padView(view: View, before: readonly number[], after: readonly number[]): View {
  return {
    shape: view.shape.map((extent, axis) => before[axis] + extent + after[axis]),
    strides: view.strides,
    offset: view.offset - view.strides.reduce((sum, stride, axis) => sum + stride * before[axis], 0),
    bounds: view.bounds.map((bound, axis): readonly [number, number] | null => {
      if (before[axis] === 0 && after[axis] === 0) return bound;
      return bound
        ? [bound[0] + before[axis], bound[1] + before[axis]]
        : [before[axis], before[axis] + view.shape[axis]];
    }),
  };
}

/** The same elements in row-major order under another shape, or null where no affine view gives them. */
export function reshapeView(view: View, shape: Shape): View | null {
  if (sizeOf(shape) === 0) return { ...contiguousView(shape), offset: 0 };
  const strides = new Array<number>(shape.length).fill(0);
  const bounds = new Array<readonly [number, number] | null>(shape.length).fill(null);
  const old = view.shape
    .map((extent, axis) => ({ extent, stride: view.strides[axis], bound: view.bounds[axis] }))
    .filter(({ extent, bound }) => extent !== 1 || bound);
  let from = 0;
  let to = 0;
  while (to < shape.length || from < old.length) {
    if (to < shape.length && shape[to] === 1) {
      to++;
      continue;
    }
    if (from >= old.length) return null;
    if (old[from].extent === 1) return null;
    const [fromStart, toStart] = [from, to];
    let oldSize = old[from++].extent;
    let newSize = shape[to++];
    while (oldSize !== newSize) {
      if (oldSize < newSize) oldSize *= old[from++].extent;
      else newSize *= shape[to++];
    }
    const group = old.slice(fromStart, from);
    if (group.length === 1 && to - toStart === 1) {
      strides[toStart] = group[0].stride;
      bounds[toStart] = group[0].bound;
      continue;
    }
    if (group.some(({ bound }) => bound)) return null;
    for (let i = 0; i + 1 < group.length; i++) {
      if (group[i].stride !== group[i + 1].stride * group[i + 1].extent) return null;
    }
    let stride = group[group.length - 1].stride;
    for (let axis = to - 1; axis >= toStart; axis--) {
      strides[axis] = stride;
      stride *= shape[axis];
    }
  }
  return { shape, strides, offset: view.offset, bounds };
}

/** The view's affine index at each of its points, row-major. */
export function placesOf({ shape, strides, offset }: View): Int32Array {
  let out = Int32Array.of(offset);
  shape.forEach((extent, axis) => {
    const next = new Int32Array(out.length * extent);
    for (let i = 0; i < next.length; i++) next[i] = out[Math.floor(i / extent)] + (i % extent) * strides[axis];
    out = next;
  });
  return out;
}
