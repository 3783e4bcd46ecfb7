// The element types of the safetensors format that are understood: the four that are written, and those of other programs. What a dtype here
// can't hold exactly is refused, but for the fractions of F64: they are rounded to float32 once.
import { float32FromBits } from "../core/canonical.ts";
import { type DType, makeArray, type TypedArray } from "../core/dtype.ts";

/** A type of the format: its bytes, the dtype that takes its values, and how an element is read. */
export interface FormatType {
  readonly bytes: number;
  readonly dtype: DType;
  readonly read: (view: DataView, at: number) => number | bigint;
  /** Which values the dtype takes, where it isn't all of them, and in words. */
  readonly takes?: readonly [test: (value: number | bigint) => boolean, expected: string];
}

/** Elements of a type, little-endian from byte `at` on. `refuse` is called with the first that the dtype doesn't take: its number, its value, and what it takes. */
export function readElements(
  view: DataView,
  at: number,
  { dtype, bytes, read, takes: [isTaken, expected] = [() => true, ""] }: FormatType,
  count: number,
  refuse: (index: number, value: string, expected: string) => never,
): TypedArray {
  const data = makeArray(dtype, count);
  for (let i = 0; i < count; i++) {
    const value = read(view, at + bytes * i);
    if (!isTaken(value)) refuse(i, String(value), expected);
    data[i] = Number(value);
  }
  return data;
}

/** What each dtype is called in a file. */
export const formatNames: Readonly<Record<DType, string>> = {
  float32: "F32",
  int32: "I32",
  uint32: "U32",
  bool: "BOOL",
};

const isInt32 = (value: number | bigint) => value >= -(2 ** 31) && value < 2 ** 31;
const int32: FormatType["takes"] = [isInt32, "an integer in [-2147483648, 2147483647]"];
/** Infinities and NaN are values of both types; a finite number that would become one is not. */
const staysFinite = (value: number | bigint) => Number.isFinite(value) === Number.isFinite(Math.fround(Number(value)));

/** By name. F64 is rounded to the nearest float32, ties to even, subnormals kept. */
export const formatTypes: ReadonlyMap<string, FormatType> = new Map<string, FormatType>([
  ["F32", { bytes: 4, dtype: "float32", read: (view, at) => view.getFloat32(at, true) }],
  ["I32", { bytes: 4, dtype: "int32", read: (view, at) => view.getInt32(at, true) }],
  ["U32", { bytes: 4, dtype: "uint32", read: (view, at) => view.getUint32(at, true) }],
  [
    "BOOL",
    { bytes: 1, dtype: "bool", read: (view, at) => view.getUint8(at), takes: [(value) => value <= 1, "0 or 1"] },
  ],
  ["F16", { bytes: 2, dtype: "float32", read: (view, at) => float16Value(view.getUint16(at, true)) }],
  ["BF16", { bytes: 2, dtype: "float32", read: (view, at) => float32FromBits(view.getUint16(at, true) * 2 ** 16) }],
  ["I8", { bytes: 1, dtype: "int32", read: (view, at) => view.getInt8(at) }],
  ["U8", { bytes: 1, dtype: "int32", read: (view, at) => view.getUint8(at) }],
  ["I16", { bytes: 2, dtype: "int32", read: (view, at) => view.getInt16(at, true) }],
  ["U16", { bytes: 2, dtype: "int32", read: (view, at) => view.getUint16(at, true) }],
  ["I64", { bytes: 8, dtype: "int32", read: (view, at) => view.getBigInt64(at, true), takes: int32 }],
  ["U64", { bytes: 8, dtype: "int32", read: (view, at) => view.getBigUint64(at, true), takes: int32 }],
  [
    "F64",
    {
      bytes: 8,
      dtype: "float32",
      read: (view, at) => view.getFloat64(at, true),
      takes: [staysFinite, "a number in float32's range"],
    },
  ],
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
