// NumPy's .npy format (numpy.lib.format): a magic, a version, a Python dictionary of element type, order and shape, then the elements. What a dtype here can't hold exactly is
// refused, but for the fractions of float64: they are rounded to float32 once.
import { readRange, size } from "#files";
import type { HostArray } from "../core/array.ts";
import { type DType, makeArray, type TypedArray } from "../core/dtype.ts";
import { DataError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import { type FormatType, formatTypes, readElements } from "./formats.ts";

const magic = "\x93NUMPY";
/** What NumPy calls a type, and the safetensors format. */
const names: Readonly<Record<string, string>> = {
  f2: "F16",
  f4: "F32",
  f8: "F64",
  i1: "I8",
  i2: "I16",
  i4: "I32",
  i8: "I64",
  u1: "U8",
  u2: "U16",
  u4: "U32",
  u8: "U64",
  b1: "BOOL",
};

/** What a file's header says. */
interface Header {
  readonly type: FormatType;
  /** Whether elements have their first byte last. */
  readonly big: boolean;
  /** Whether the first axis runs fastest. */
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Where elements begin. */
  readonly start: number;
}

/** A file's header, of its first bytes and its length. Throws DataError where it is none, and where the file has another length than it says. */
function parseHeader(where: string, bytes: Uint8Array, length: number): Header {
  const fail = (problem: string, got?: string, expected?: string): never => {
    throw new DataError({ where, problem, got, expected });
  };
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 6)) !== magic)
    return fail("not a .npy file: it doesn't begin with \\x93NUMPY");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = bytes[6];
  if (version < 1 || version > 3) return fail("an unknown version of the .npy format", String(version), "1, 2 or 3");
  const begin = version === 1 ? 10 : 12;
  const start = begin + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) return fail("the file is truncated in its header", `${bytes.length} bytes`, `≥ ${start}`);
  const header = new TextDecoder().decode(bytes.subarray(begin, start)).trim();
  const value = (key: string, pattern: string) => header.match(new RegExp(`'${key}': *${pattern} *[,}]`))?.[1];
  const descr = value("descr", "'([<>=|][^']*)'");
  const order = value("fortran_order", "(True|False)");
  const extents = value("shape", "\\(([\\d, ]*)\\)");
  if (order === undefined || extents === undefined || !header.startsWith("{"))
    return fail("the .npy header isn't a dictionary of descr, fortran_order and shape", header.slice(0, 100));
  const type = formatTypes.get(names[descr?.slice(1) ?? ""] ?? "");
  if (!descr || !type)
    return fail(
      "elements of this type aren't read",
      header.slice(0, 100),
      "integers, floats of 2, 4 or 8 bytes, or bool",
    );
  const shape = extents.split(",").flatMap((text) => (text.trim() === "" ? [] : [Number(text)]));
  const expected = sizeOf(shape) * type.bytes;
  if (length - start !== expected)
    return fail(
      "the file isn't as long as its header says",
      `${length - start} bytes of elements`,
      `${expected} for ${descr} ${formatShape(shape)}`,
    );
  return { type, big: descr[0] === ">", fortran: order === "True", shape, start };
}

/** Elements in a file's bytes, from number `first` on. */
function elements(where: string, bytes: Uint8Array, { type, big }: Header, first = 0): TypedArray {
  const { buffer, byteOffset, length } = big ? swapped(bytes, type.bytes) : bytes;
  const view = new DataView(buffer, byteOffset, length);
  return readElements(view, 0, type, length / type.bytes, (i, got, expected) => {
    throw new DataError({ where, problem: `element ${first + i} is no ${type.dtype}`, got, expected });
  });
}

/** The array in a file's bytes, row by row whatever its order there. Throws DataError with `where` for what is no .npy file, one of another length than it says, and elements that aren't plain numbers. */
export function decodeNpy(where: string, bytes: Uint8Array): HostArray {
  const header = parseHeader(where, bytes, bytes.length);
  const data = elements(where, bytes.subarray(header.start), header);
  const { shape, type, fortran } = header;
  const array = { data, shape, dtype: type.dtype };
  return fortran ? { ...array, data: rowByRow(array) } : array;
}

/** An array that stays in its file. */
export interface NpyFile {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** `count` elements from number `first` on. */
  read(first: number, count: number): TypedArray;
}

/** The array of a file, of which parts are read when they are wanted. Throws DataError as `decodeNpy` does, and for one whose first axis runs fastest: its samples lie apart. */
export function openNpy(path: string): NpyFile {
  const header = parseHeader(path, readRange(path, 0, 2 ** 16 + 10), size(path));
  const { shape, type, start, fortran } = header;
  if (fortran)
    throw new DataError({
      where: path,
      problem: "its samples lie apart (fortran_order)",
      hint: "memory: true reads it whole",
    });
  return {
    shape,
    dtype: type.dtype,
    read(first, count) {
      const bytes = readRange(path, start + first * type.bytes, count * type.bytes);
      if (bytes.length === count * type.bytes) return elements(path, bytes, header, first);
      throw new DataError({ where: path, problem: "the file has become shorter", got: `${bytes.length} bytes` });
    },
  };
}

/** A copy of elements of `width` bytes each, every one's bytes the other way round. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i - (i % width) + (width - 1 - (i % width))] = bytes[i];
  return out;
}

/** Elements whose first axis runs fastest, with the last one running fastest. */
function rowByRow({ data: from, shape, dtype }: HostArray): TypedArray {
  const out = makeArray(dtype, from.length);
  for (let to = 0; to < out.length; to++) {
    let at = 0;
    for (let axis = shape.length - 1, left = to, stride = out.length; axis >= 0; axis--) {
      stride /= shape[axis];
      at += (left % shape[axis]) * stride;
      left = Math.floor(left / shape[axis]);
    }
    out[to] = from[at];
  }
  return out;
}
