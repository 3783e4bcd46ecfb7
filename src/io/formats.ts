// The element types of the safetensors format that are understood: the four that are written, and those of other programs whose values a dtype
// here holds exactly.
import { float32FromBits } from "../core/canonical.ts";
import type { DType } from "../core/dtype.ts";

/** A type of the format: its bytes, the dtype that holds all of its values, and how an element is read. */
export interface FormatType {
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, at: number) => number;
}

/** What each dtype is called in a file. */
export const formatNames: Readonly<Record<DType, string>> = {
  float32: "F32",
  int32: "I32",
  uint32: "U32",
  bool: "BOOL",
};

/** By name. */
export const formatTypes: ReadonlyMap<string, FormatType> = new Map<string, FormatType>([
  ["F32", { bytes: 4, dtype: "float32", read: (view, at) => view.getFloat32(at, true) }],
  ["I32", { bytes: 4, dtype: "int32", read: (view, at) => view.getInt32(at, true) }],
  ["U32", { bytes: 4, dtype: "uint32", read: (view, at) => view.getUint32(at, true) }],
  ["BOOL", { bytes: 1, dtype: "bool", read: (view, at) => view.getUint8(at) }],
  ["F16", { bytes: 2, dtype: "float32", read: (view, at) => float16Value(view.getUint16(at, true)) }],
  ["BF16", { bytes: 2, dtype: "float32", read: (view, at) => float32FromBits(view.getUint16(at, true) * 2 ** 16) }],
  ["I8", { bytes: 1, dtype: "int32", read: (view, at) => view.getInt8(at) }],
  ["U8", { bytes: 1, dtype: "int32", read: (view, at) => view.getUint8(at) }],
  ["I16", { bytes: 2, dtype: "int32", read: (view, at) => view.getInt16(at, true) }],
  ["U16", { bytes: 2, dtype: "int32", read: (view, at) => view.getUint16(at, true) }],
]);

/** The number that a float16's bits stand for (IEEE 754 binary16): sign, 5 bits of exponent, 10 of fraction. */
function float16Value(bits: number): number {
  const sign = bits >>> 15;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return (sign ? -1 : 1) * fraction * 2 ** -24;
  const wide = exponent === 31 ? 255 : exponent + 112;
  return float32FromBits(((sign << 31) | (wide << 23) | (fraction << 13)) >>> 0);
}
