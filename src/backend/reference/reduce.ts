// Reductions in the written orders of NUMERICS: lanes over the last axes, chunks over any other set.
import {
  blockSize,
  type Combine,
  chunkSize,
  isArgument,
  laneCount,
  neutral,
  type Order,
} from "../../../kernels/kernel.ts";
import { type DType, makeArray, type TypedArray } from "../../core/dtype.ts";
import { type Shape, stridesOf } from "../../core/shape.ts";

/** Fills `out`, row-major over the kept axes. */
export type Reducer = (x: TypedArray, out: TypedArray) => void;

const combines = {
  sum: (a: number, b: number) => a + b,
  prod: (a: number, b: number) => a * b,
  max: (a: number, b: number) => (a >= b || a !== a ? a : b),
  min: (a: number, b: number) => (a <= b || a !== a ? a : b),
};
const better = {
  argmax: (a: number, b: number) => a > b,
  argmin: (a: number, b: number) => a < b,
};

/** The order that NUMERICS gives a reduction over these axes, ascending. */
function orderOf(shape: Shape, axes: readonly number[]): Order {
  return axes.every((axis, i) => axis === shape.length - axes.length + i) ? "lanes" : "chunks";
}

/** Reduces an array of `shape` over `axes` (ascending) to elements of `dtype`, in the order that follows from the axes or is given. */
export function reducer(
  combine: Combine,
  shape: Shape,
  axes: readonly number[],
  dtype: DType,
  order = orderOf(shape, axes),
): Reducer {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const starts = offsetsOf(shape, kept);
  const offsets = offsetsOf(shape, axes);
  const one = rowReducer(combine, order, dtype);
  return (x, out) => {
    for (let i = 0; i < starts.length; i++) out[i] = one(x, starts[i], offsets);
  };
}

/** Where the points of some axes lie, the other coordinates being 0, in row-major order of those axes. */
function offsetsOf(shape: Shape, axes: readonly number[]): Int32Array {
  const strides = stridesOf(shape);
  let offsets = new Int32Array([0]);
  for (const axis of axes) {
    const next = new Int32Array(offsets.length * shape[axis]);
    for (let i = 0; i < next.length; i++) {
      next[i] = offsets[Math.floor(i / shape[axis])] + (i % shape[axis]) * strides[axis];
    }
    offsets = next;
  }
  return offsets;
}

function rowReducer(
  combine: Combine,
  order: Order,
  dtype: DType,
): (x: TypedArray, start: number, offsets: Int32Array) => number {
  if (isArgument(combine)) {
    const wins = better[combine];
    return (x, start, offsets) => {
      let best = 0;
      for (let i = 1; i < offsets.length; i++) {
        const [old, value] = [x[start + offsets[best]], x[start + offsets[i]]];
        if (old === old && (value !== value || wins(value, old))) best = i;
      }
      return best;
    };
  }
  const join = combine === "prod" && dtype === "int32" ? Math.imul : combines[combine];
  const nothing = neutral(combine, dtype);
  // Accumulators are typed arrays: a store rounds to float32, or wraps to int32.
  const total = makeArray(dtype, 1);
  if (order === "lanes") {
    const lanes = makeArray(dtype, laneCount);
    return (x, start, offsets) => {
      total[0] = nothing;
      for (let block = 0; block < offsets.length; block += blockSize) {
        const end = Math.min(block + blockSize, offsets.length);
        lanes.fill(nothing);
        for (let i = block; i < end; i++) {
          const lane = (i - block) % laneCount;
          lanes[lane] = join(lanes[lane], x[start + offsets[i]]);
        }
        for (let width = laneCount / 2; width >= 1; width /= 2) {
          for (let lane = 0; lane < width; lane++) lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
        total[0] = join(total[0], lanes[0]);
      }
      return total[0];
    };
  }
  const part = makeArray(dtype, 1);
  return (x, start, offsets) => {
    total[0] = nothing;
    for (let chunk = 0; chunk < offsets.length; chunk += chunkSize) {
      const end = Math.min(chunk + chunkSize, offsets.length);
      part[0] = nothing;
      for (let i = chunk; i < end; i++) part[0] = join(part[0], x[start + offsets[i]]);
      total[0] = join(total[0], part[0]);
    }
    return total[0];
  };
}
