// SHA-256 by either way, of any length, and the canonical bytes that go into it.
import { describe, expect, test, vi } from "vitest";
import { canonicalBytes, sha256Hex, toHex } from "../../src/core/canonical.ts";
import * as node from "../../src/core/hash.node.ts";
import * as web from "../../src/core/hash.web.ts";

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7919 + (i >> 8)) % 256);

describe("SHA-256", () => {
  test("is the same by node:crypto and in script", () => {
    for (const length of [...Array(200).keys(), 1000, 1023, 1024, 1025, 70_001])
      expect(toHex(node.sha256(bytesOf(length)))).toBe(toHex(web.sha256(bytesOf(length))));
    expect(sha256Hex(new TextEncoder().encode("abc"))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  test("is the same where it may take its time; a page without the platform's has none", async () => {
    for (const { sha256Later } of [node, web])
      expect(await sha256Later(bytesOf(70_001).subarray(1))).toEqual(node.sha256(bytesOf(70_001).subarray(1)));
    vi.stubGlobal("crypto", {});
    expect(await web.sha256Later(bytesOf(10))).toBeUndefined();
    vi.unstubAllGlobals();
  });

  test("takes part of a larger memory as its own bytes only", () => {
    const all = bytesOf(5000);
    expect(node.sha256(all.subarray(100, 4000))).toEqual(web.sha256(all.slice(100, 4000)));
  });

  test("of bytes in parts is that of the whole, wherever it is cut", () => {
    const all = bytesOf(300);
    for (const size of [1, 7, 55, 56, 63, 64, 65, 128, 200]) {
      const parts = Array.from({ length: Math.ceil(300 / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
      for (const { sha256Parts } of [node, web])
        expect(toHex(sha256Parts([new Uint8Array(), ...parts]))).toBe(toHex(node.sha256(all)));
    }
  });

  test("of bulk data is native where it can be: several times faster", () => {
    const data = bytesOf(1 << 22);
    const least = (body: () => void) =>
      Math.min(
        ...[0, 1, 2].map(() => {
          const start = performance.now();
          body();
          return performance.now() - start;
        }),
      );
    expect(least(() => node.sha256(data)) * 2).toBeLessThan(least(() => web.sha256(data)));
  });
});

test("canonical bytes: little-endian words, one NaN, a view's own elements", () => {
  const odd = new Float32Array(new Uint32Array([0x7fc00001, 0xffc00000, 0x80000000, 0x3f800000, 0x7f800001]).buffer);
  const words = (bytes: Uint8Array) => [...new Uint32Array(bytes.buffer)];
  expect(words(canonicalBytes(odd))).toEqual([0x7fc00000, 0x7fc00000, 0x80000000, 0x3f800000, 0x7fc00000]);
  expect(words(canonicalBytes(odd.subarray(2, 4)))).toEqual([0x80000000, 0x3f800000]);
  expect([...canonicalBytes(Int32Array.of(-2, 258))]).toEqual([254, 255, 255, 255, 2, 1, 0, 0]);
  expect([...canonicalBytes(Uint32Array.of(0xff000001))]).toEqual([1, 0, 0, 255]);
  expect([...canonicalBytes(Uint8Array.of(0, 1))]).toEqual([0, 1]);
});
