// The canonical encoding: its quick ways give the bytes of the plain ones, on any text and any integer.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Encoder } from "../../src/core/canonical.ts";
import { compareUtf8 } from "../../src/core/utf8.ts";

// Units below, at, between and above the surrogates, so that pairs, halves and their neighbours meet.
const unit = fc.constantFrom(
  0x00,
  0x41,
  0x7f,
  0x80,
  0x7ff,
  0x800,
  0xd7ff,
  0xd800,
  0xd83d,
  0xdbff,
  0xdc00,
  0xde00,
  0xdfff,
  0xe000,
  0xffff,
);
const text = fc.array(unit, { maxLength: 6 }).map((units) => String.fromCharCode(...units));

describe("text", () => {
  test("is ordered as its UTF-8 bytes", () => {
    const bytes = (value: string) => Buffer.from(new TextEncoder().encode(value));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(bytes(a), bytes(b)));
      }),
      { numRuns: 2000 },
    );
    expect(["b", "a/10", "a/2", "ä", "Z", "\u{1F600}", "￿"].sort(compareUtf8)).toEqual([
      "Z",
      "a/10",
      "a/2",
      "b",
      "ä",
      "￿",
      "\u{1F600}",
    ]);
  });

  test("is its length in bytes and its UTF-8 bytes, wherever it stands", () => {
    fc.assert(
      fc.property(fc.string(), text, (before, value) => {
        const head = new Encoder().string(before).finish();
        const utf8 = new TextEncoder().encode(value);
        const length = new Uint8Array(4);
        new DataView(length.buffer).setUint32(0, utf8.length, true);
        expect(new Encoder().string(before).string(value).u8(7).finish()).toEqual(
          Uint8Array.of(...head, ...length, ...utf8, 7),
        );
      }),
    );
  });
});

test("integers are 64 bits, little-endian, two's complement", () => {
  const bytes = (value: bigint) => {
    const out = new Uint8Array(8);
    new DataView(out.buffer).setBigInt64(0, value, true);
    return out;
  };
  for (const value of [0, -0, 1, -1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1)]) {
    expect(new Encoder().i64(value).finish()).toEqual(bytes(BigInt(value)));
    expect(new Encoder().i64(BigInt(value)).finish()).toEqual(bytes(BigInt(value)));
  }
  expect(() => new Encoder().i64(0.5)).toThrow(RangeError);
});
