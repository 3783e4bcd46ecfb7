// Arrays of numbers are compared by their bytes first: number by number takes a microsecond each. What has the same bytes is equal in every way; of the rest the usual comparison says what differs.
import { expect } from "vitest";

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

expect.addEqualityTesters([
  (a: unknown, b: unknown) =>
    ArrayBuffer.isView(a) &&
    ArrayBuffer.isView(b) &&
    a.constructor === b.constructor &&
    Buffer.compare(bytesOf(a), bytesOf(b)) === 0
      ? true
      : undefined,
]);
