// The IDX format of the MNIST files: two zero bytes, a type byte, the number of axes, big-endian u32 extents, the elements.
import { DataError } from "../core/errors.ts";
import { sizeOf } from "../core/shape.ts";

/** Unsigned bytes with their shape, as an IDX file holds them. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const unsignedByte = 0x08;

/** Reads an IDX file of unsigned bytes, the only type MNIST's use. `data` is a view of `bytes`. Throws DataError with `where` for another type, a truncated file, or bytes too many. */
export function parseIdx(where: string, bytes: Uint8Array): IdxArray {
  const fail = (problem: string, got: string, expected: string): never => {
    throw new DataError({ where, problem, got, expected });
  };
  if (bytes.length < 4) fail("the file is truncated in its header", `${bytes.length} bytes`, "at least 4");
  const [zero, alsoZero, type, rank] = bytes;
  if (zero !== 0 || alsoZero !== 0)
    fail("not an IDX file: it doesn't begin with two zero bytes", `${zero}, ${alsoZero}`, "0, 0");
  if (type !== unsignedByte)
    fail("an IDX file of another type", `0x${type.toString(16).padStart(2, "0")}`, "0x08, unsigned bytes");
  const start = 4 + 4 * rank;
  if (bytes.length < start) fail("the file is truncated in its header", `${bytes.length} bytes`, `at least ${start}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = start + sizeOf(shape);
  if (bytes.length !== expected)
    fail(
      bytes.length < expected ? "the file is truncated" : "bytes after the last element",
      `${bytes.length} bytes`,
      `${expected} for [${shape.join(", ")}]`,
    );
  return { shape, data: bytes.subarray(start) };
}
