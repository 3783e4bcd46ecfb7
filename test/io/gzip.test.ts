// Gzipped files by the platform's stream.
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { contentOf } from "../../src/io/gzip.ts";

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
const packed = new Uint8Array(gzipSync(bytes));

test("a file is unpacked where its name and its bytes say that it is packed", async () => {
  expect(await contentOf("x.gz", packed)).toEqual(bytes);
  expect(await contentOf("x.gz", bytes)).toBe(bytes);
  expect(await contentOf("x", packed)).toBe(packed);
  expect(await contentOf("x.gz", new Uint8Array(0))).toHaveLength(0);
});

test("damaged bytes, cut ones, and what unpacks to too much are refused", async () => {
  const damaged = packed.slice();
  damaged[packed.length >> 1] ^= 255;
  for (const wrong of [damaged, packed.subarray(0, 1000), packed.subarray(0, 2)])
    await expect(contentOf("x.gz", wrong)).rejects.toMatchObject({ name: "DataError", where: "x.gz" });
  await expect(contentOf("x.gz", packed, bytes.length - 1)).rejects.toMatchObject({
    name: "DataError",
    problem: "it unpacks to more than a page can take",
    expected: "at most 299999 bytes",
  });
  expect(await contentOf("x.gz", packed, bytes.length)).toEqual(bytes);
});
