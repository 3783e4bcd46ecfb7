// The IDX format, as the MNIST files have it: two zero bytes, a type byte, the number of axes, big-endian u32 extents, big-endian elements. A file may be
// gzipped. Its header is held to its length before memory is asked for.

import { gunzip, gunzipStart } from "#files";
import { checkArguments, kind, signature, string } from "../core/arguments.ts";
import { DataError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";

/** Elements as an IDX file holds them. */
export type IdxElements = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The elements of an IDX file with their shape. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: IdxElements;
}

interface IdxType {
  readonly name: string;
  readonly make: new (size: number) => IdxElements;
  readonly read: (view: DataView, at: number) => number;
}

const types: ReadonlyMap<number, IdxType> = new Map<number, IdxType>([
  [0x08, { name: "unsigned bytes", make: Uint8Array, read: (view, at) => view.getUint8(at) }],
  [0x09, { name: "signed bytes", make: Int8Array, read: (view, at) => view.getInt8(at) }],
  [0x0b, { name: "int16", make: Int16Array, read: (view, at) => view.getInt16(at) }],
  [0x0c, { name: "int32", make: Int32Array, read: (view, at) => view.getInt32(at) }],
  [0x0d, { name: "float32", make: Float32Array, read: (view, at) => view.getFloat32(at) }],
  [0x0e, { name: "float64", make: Float64Array, read: (view, at) => view.getFloat64(at) }],
]);

const call = signature("data.parseIdx", {
  where: string,
  bytes: kind("a Uint8Array", (value) => value instanceof Uint8Array),
});

/**
 * Reads an IDX file of any type and any number of axes, gzipped or not. Unsigned bytes are a view of `bytes`, unless they were gzipped. Throws DataError with
 * `where` for what is no IDX, a file that holds no elements, one that ends early, and one that goes on.
 */
export function parseIdx(where: string, bytes: Uint8Array): IdxArray {
  checkArguments(call, arguments);
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const { type, shape, start } = parseHeader(where, zipped ? gunzipStart(where, bytes) : bytes);
  const elements = sizeOf(shape);
  const width = type.make === Uint8Array ? 1 : new type.make(0).BYTES_PER_ELEMENT;
  const expected = start + elements * width;
  if (elements === 0) fail(where, "the file holds no elements", formatShape(shape), "extents of at least 1");
  const whole = zipped ? gunzip(where, bytes, expected) : bytes;
  if (whole?.length !== expected) {
    const long = whole === undefined || whole.length > expected;
    const got = `${whole === undefined ? `more than ${expected}` : whole.length} bytes`;
    const problem = long ? "bytes after the last element" : "the file is truncated";
    return fail(where, problem, got, `${expected} for ${type.name} ${formatShape(shape)}`);
  }
  if (type.make === Uint8Array) return { shape, data: whole.subarray(start) };
  const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
  const data = new type.make(elements);
  for (let i = 0; i < elements; i++) data[i] = type.read(view, start + i * width);
  return { shape, data };
}

function parseHeader(where: string, bytes: Uint8Array): { type: IdxType; shape: number[]; start: number } {
  if (bytes.length < 4) fail(where, "the file is truncated in its header", `${bytes.length} bytes`, "at least 4");
  const [zero, alsoZero, code, rank] = bytes;
  if (zero !== 0 || alsoZero !== 0)
    fail(where, "not an IDX file: it doesn't begin with two zero bytes", `${zero}, ${alsoZero}`, "0, 0");
  const type = types.get(code);
  if (!type) {
    const known = [...types].map(([byte, { name }]) => `${hex(byte)} (${name})`).join(", ");
    return fail(where, "an IDX file of an unknown type", hex(code), `one of ${known}`);
  }
  const start = 4 + 4 * rank;
  if (bytes.length < start)
    fail(where, "the file is truncated in its header", `${bytes.length} bytes`, `at least ${start}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { type, shape: Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis)), start };
}

const hex = (byte: number) => `0x${byte.toString(16).padStart(2, "0")}`;

function fail(where: string, problem: string, got: string, expected: string): never {
  throw new DataError({ where, problem, got, expected });
}
