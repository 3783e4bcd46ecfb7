// The element types a tensor can have and the typed array that holds each. There is no promotion between them:
// mixing two is a DTypeError, with a cast as the hint.

import { BackendError } from "./errors.ts";

/** Element type. `uint32` is what random words are; comparisons give `bool` (0 or 1 in a byte). */
export type DType = "float32" | "int32" | "uint32" | "bool";

/** The host representation of a tensor's elements, row-major. */
export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array;

export const dtypes: readonly DType[] = ["float32", "int32", "uint32", "bool"];

const arrays = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint8Array } as const;

/** bfloat16: 8 significant bits, exponents as float32. float16 (IEEE 754 binary16): 11 significant bits, normal from 2⁻¹⁴ to 65504. */
export const narrowFormats = ["bfloat16", "float16"] as const;
export type NarrowFormat = (typeof narrowFormats)[number];

/** Bytes an element takes. */
export function itemSize(dtype: DType): number {
  return dtype === "bool" ? 1 : 4;
}

/** The dtype that an array is the representation of. */
export function dtypeOf(data: TypedArray): DType {
  return dtypes.find((dtype) => data instanceof arrays[dtype])!;
}

/** The least and the largest number of each dtype. */
export const limits: Readonly<Record<DType, readonly [least: number, most: number]>> = {
  float32: [-Infinity, Infinity],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  bool: [0, 1],
};

/** Whether a tensor of the dtype can hold the number; float32 rounds it. */
export function holdsNumber(dtype: DType, value: number): boolean {
  const [least, most] = limits[dtype];
  return dtype === "float32" || (Number.isInteger(value) && value >= least && value <= most);
}

/** Whether an array's elements are as the dtype has them: bool is 0 or 1. */
export function holds(dtype: DType, data: TypedArray): boolean {
  return !!dtype && dtypeOf(data) === dtype && !(dtype === "bool" && data.some((value) => value > 1));
}

function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new BackendError({
      where: "memory",
      problem: "no memory for a tensor's elements",
      got: `${bytes} bytes, ${(bytes / 2 ** 30).toPrecision(3)} GiB`,
      hint: "smaller shapes, or fewer tensors at a time",
      cause,
    });
  }
}

/** A zero-filled array of `size` elements, or a view of `buffer` from `byteOffset` on. Throws BackendError where there is no memory for them. */
export function makeArray(dtype: DType, size: number, buffer?: ArrayBufferLike, byteOffset = 0): TypedArray {
  const memory = buffer ?? allocate(size * itemSize(dtype));
  const Made: new (memory: ArrayBufferLike, from: number, size: number) => TypedArray = arrays[dtype];
  return new Made(memory, byteOffset, size);
}
