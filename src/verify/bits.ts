// Elements as bits: how two arrays are compared, and how a value is shown. A NaN equals a NaN, whatever its payload: the meaning has one.
import type { TypedArray } from "../core/dtype.ts";

/** The elements' bits as integers: float32 as they lie in memory. */
export function bitsOf(data: TypedArray): Uint32Array | Int32Array | Uint8Array {
  return data instanceof Float32Array ? new Uint32Array(data.buffer, data.byteOffset, data.length) : data;
}

export const isNaNBits = (bits: number) => (bits & 0x7fffffff) >>> 0 > 0x7f800000;

/** Whether two elements' bits mean the same. */
export function sameBits(a: number, b: number, float: boolean): boolean {
  return a === b || (float && isNaNBits(a) && isNaNBits(b));
}

/** Positions at which two arrays differ, at most `most`, and how many in all. NaNs count as one value unless `payload`. Arrays of other lengths differ everywhere. */
export function differences(
  a: TypedArray,
  b: TypedArray,
  { most = Number.POSITIVE_INFINITY, payload = false } = {},
): { readonly at: number[]; readonly count: number } {
  if (a === b) return { at: [], count: 0 };
  const [x, y] = [bitsOf(a), bitsOf(b)];
  const float = a instanceof Float32Array;
  const at: number[] = [];
  let count = 0;
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if (x[i] === y[i] || (!payload && sameBits(x[i], y[i], float))) continue;
    count++;
    if (at.length < most) at.push(i);
  }
  return { at, count };
}

/** Whether two arrays mean the same, element by element. */
export function sameElements(a: TypedArray, b: TypedArray): boolean {
  return a.length === b.length && differences(a, b, { most: 0 }).count === 0;
}

/** An element for a reader, in decimal and hex: `0.1 (3dcccccd)`; bools as they are. */
export function showElement(data: TypedArray, index: number): string {
  const value = data[index];
  if (data instanceof Uint8Array) return String(value);
  return `${Object.is(value, -0) ? "-0" : value} (${(bitsOf(data)[index] >>> 0).toString(16).padStart(8, "0")})`;
}

/** How many float32 values lie from one to the other; undefined where one is NaN. −0 and +0 are one apart. */
export function ulpDistance(a: number, b: number): number | undefined {
  if (Number.isNaN(a) || Number.isNaN(b)) return undefined;
  const scratch = new Float32Array([a, b]);
  const [x, y] = bitsOf(scratch);
  const order = (bits: number) => (bits >= 0x80000000 ? -1 - (bits - 0x80000000) : bits);
  return Math.abs(order(x) - order(y));
}

/** Coordinates of a row-major index. */
export function coordinatesOf(index: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    at.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return at;
}
