// safetensors: round trips to the bit, files that an independent reader in Python understands, and damage found wherever it is.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../src/core/array.ts";
import { canonicalBytes } from "../../src/core/canonical.ts";
import { type DType, dtypes, makeArray } from "../../src/core/dtype.ts";
import { CheckpointError } from "../../src/core/errors.ts";
import { numericsId } from "../../src/core/numerics.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { parseFileJson, repeatedKey } from "../../src/io/json.ts";
import { decodeSafetensors, encodeSafetensors, readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import { cpuSeconds } from "../support/cpu.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const float32 = (values: number[], shape = [values.length]): HostArray => ({
  data: Float32Array.from(values),
  shape,
  dtype: "float32",
});

test("strings of a header's size that are never closed, or are all escapes, take no longer than others", () => {
  const seconds = cpuSeconds(() => {
    expect(() => parseFileJson(`["${'\\"'.repeat(200_000)}`)).toThrow(SyntaxError);
    expect((parseFileJson(`["${"\\n".repeat(5_000_000)}"]`) as string[])[0]).toHaveLength(5_000_000);
  });
  // A minute and a half, and a stack that overflows, where a pattern was sought that turns back.
  expect(seconds).toBeLessThan(2);
});

test("a header nested too deeply is refused before anything walks it", () => {
  for (const depth of [100, 100_000]) {
    const header = new TextEncoder().encode(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`);
    const file = new Uint8Array(8 + header.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(header, 8);
    expect(() => decodeSafetensors("deep", file)).toThrow(/nested deeper than 64 levels/);
  }
});

/** Elements from raw words: any bits at all for the 4-byte types, 0 or 1 for bool. */
function fromWords(dtype: DType, shape: number[], words: number[]): HostArray {
  const size = sizeOf(shape);
  const cycled = Uint32Array.from({ length: size }, (_, i) => words[i % words.length]);
  const data = dtype === "bool" ? Uint8Array.from(cycled, (word) => word & 1) : makeArray(dtype, size, cycled.buffer);
  return { data, shape, dtype };
}

const anyTensor = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    words: fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 8 }),
  })
  .map(({ dtype, shape, words }) => fromWords(dtype, shape, words));

/** A file by hand: header as text, then the body. */
function file(header: unknown, body: Uint8Array | number = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const tail = typeof body === "number" ? new Uint8Array(body) : body;
  const bytes = new Uint8Array(8 + text.length + tail.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(tail, 8 + text.length);
  return bytes;
}

const entry = (dtype: string, shape: unknown, begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("writer", () => {
  test("the bytes of a small file, from the format's description", () => {
    const bytes = encodeSafetensors("t", [["b", float32([1, -0])]], { step: "7" });
    const header = '{"__metadata__":{"step":"7"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8, " ");
    const length = [padded.length, 0, 0, 0, 0, 0, 0, 0];
    expect([...bytes]).toEqual([...length, ...new TextEncoder().encode(padded), 0, 0, 0x80, 0x3f, 0, 0, 0, 0x80]);
  });

  test("the order of the entries and keys given doesn't matter; wider elements come first, then names by bytes", () => {
    const tensors: [string, HostArray][] = [
      ["a/mask", { data: Uint8Array.of(1, 0, 1), shape: [3], dtype: "bool" }],
      ["b", float32([1, 2])],
      ["10", float32([3])],
      ["9", { data: Int32Array.of(-1), shape: [], dtype: "int32" }],
      ["é", float32([4])],
    ];
    const bytes = encodeSafetensors("t", tensors, { x: "1", a: "2" });
    expect(encodeSafetensors("t", [...tensors].reverse(), { a: "2", x: "1" })).toEqual(bytes);
    expect([...decodeSafetensors("t", bytes).tensors.keys()]).toEqual(["10", "9", "b", "é", "a/mask"]);
  });

  test("every NaN is stored as 0x7fc00000", () => {
    const data = new Float32Array(Uint32Array.of(0xffc00001, 0x7f800001).buffer);
    const { tensors } = decodeSafetensors("t", encodeSafetensors("t", [["n", { data, shape: [2], dtype: "float32" }]]));
    expect([...new Uint32Array(tensors.get("n")!.data.buffer)]).toEqual([0x7fc00000, 0x7fc00000]);
  });

  test("refuses a name twice, the metadata's name, and elements that don't fit the shape", () => {
    const one = float32([1]);
    expect(() =>
      encodeSafetensors("f.safetensors", [
        ["w", one],
        ["w", one],
      ]),
    ).toThrow(/f\.safetensors: a tensor's name is taken: got "w"/);
    expect(() => encodeSafetensors("f", [["__metadata__", one]])).toThrow(CheckpointError);
    expect(() => encodeSafetensors("f", [["w", float32([1, 2], [3])]])).toThrow(/tensor "w": elements don't fit/);
  });
});

describe("round trip", () => {
  test("names, shapes, dtypes, bits and metadata come back", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), anyTensor, { noNullPrototype: true }),
        fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
        (record, metadata) => {
          const given = Object.entries(record).filter(([name]) => name !== "__metadata__");
          const decoded = decodeSafetensors("t", encodeSafetensors("t", given, metadata));
          expect(decoded.metadata).toEqual(metadata);
          expect([...decoded.tensors.keys()].sort()).toEqual(given.map(([name]) => name).sort());
          for (const [name, { data, shape, dtype }] of given) {
            const back = decoded.tensors.get(name)!;
            expect([back.dtype, back.shape]).toEqual([dtype, shape]);
            expect(back.data.constructor).toBe(data.constructor);
            expect(canonicalBytes(back.data)).toEqual(canonicalBytes(data));
          }
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  test("a name that JavaScript treats specially is a name like any other", () => {
    const tensors: [string, HostArray][] = [
      ["__proto__", float32([1])],
      ["constructor", float32([2])],
      ['quote " and \\', float32([3])],
    ];
    const { tensors: back } = decodeSafetensors("t", encodeSafetensors("t", tensors));
    for (const [name, { data }] of tensors) expect(back.get(name)?.data).toEqual(data);
    expect(back.size).toBe(3);
  });

  test("bytes that begin at an odd address of a larger buffer", () => {
    const bytes = encodeSafetensors("t", [["w", float32([1.5, 2])]]);
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    expect([...decodeSafetensors("t", shifted).tensors.get("w")!.data]).toEqual([1.5, 2]);
  });

  test("through a file", () => {
    const path = join(temporaryFolder(), "through.safetensors");
    writeSafetensors(path, [["w", float32([1, 2, 3, 4], [2, 2])]], { step: "3" });
    const { tensors, metadata } = readSafetensors(path);
    expect(tensors.get("w")).toEqual(float32([1, 2, 3, 4], [2, 2]));
    expect(metadata).toEqual({ step: "3" });
  });
});

describe("Python reads what is written", () => {
  const python = spawnSync("python3", ["--version"]);
  const missing = python.error !== undefined || python.status !== 0;
  if (missing) console.log("skipped: no python3 here to read safetensors files independently");
  test.skipIf(missing)("every dtype, a scalar, an empty tensor, odd byte counts", () => {
    const words = [0, 1, 0x80000000, 0x3f800000, 0xffffffff, 0x7f7fffff, 0x00000001];
    const tensors: [string, HostArray][] = dtypes.flatMap((dtype): [string, HostArray][] => [
      [`${dtype}/some`, fromWords(dtype, [7], words)],
      [`${dtype}/scalar`, fromWords(dtype, [], words)],
      [`${dtype}/empty`, fromWords(dtype, [2, 0, 3], words)],
      [`${dtype}/cube ☃`, fromWords(dtype, [3, 1, 5], words)],
    ]);
    const path = join(temporaryFolder(), "python.safetensors");
    writeSafetensors(path, tensors, { numerics: numericsId, ключ: "значение" });
    const script = `${root}test/support/read_safetensors.py`;
    const { stdout, stderr, status } = spawnSync("python3", [script, path], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const read = JSON.parse(stdout);
    expect(read.metadata).toEqual({ numerics: numericsId, ключ: "значение" });
    expect(read.header_padded_to_8).toBe(true);
    const names = { float32: "F32", int32: "I32", uint32: "U32", bool: "BOOL" };
    const bits = ({ data, dtype }: HostArray) =>
      dtype === "float32" ? [...new Uint32Array(canonicalBytes(data).buffer)] : [...data];
    expect(read.tensors).toEqual(
      Object.fromEntries(
        tensors.map(([name, array]) => [
          name,
          { dtype: names[array.dtype], shape: array.shape, elements: bits(array) },
        ]),
      ),
    );
  });
});

describe("reader refuses, naming the file and the place", () => {
  const good = { w: entry("F32", [2], 0, 8) };
  const cases: [what: string, bytes: Uint8Array, message: RegExp][] = [
    ["an empty file", new Uint8Array(0), /truncated in its header's length: got 0 bytes/],
    ["a header length beyond the bound", new Uint8Array(16).fill(0xff), /length \(bytes 0 to 7\) is too large/],
    ["a header length beyond the file", Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), /truncated in its header/],
    ["an empty header", new Uint8Array(8), /header \(byte 8\) doesn't begin with \{/],
    ["a header that begins with a blank", file(' {"a":1}'), /doesn't begin with \{: got 0x20/],
    ["no JSON", file('{"w":'), /the header is not JSON/],
    ["no UTF-8", file("{}").map((byte, i) => (i === 9 ? 0xff : byte)), /the header is not JSON/],
    [
      "a name twice",
      file(
        '{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
        4,
      ),
      /names "w" twice, at character 53/,
    ],
    [
      "a name twice, once escaped",
      file(
        '{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0077":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
        4,
      ),
      /names "w" twice/,
    ],
    ["metadata twice", file('{"__metadata__":{},"__metadata__":{"a":"b"}}'), /names "__metadata__" twice/],
    ["metadata that isn't text", file({ __metadata__: { step: 3 } }), /__metadata__ is not a map of strings/],
    ["metadata that is a list", file({ __metadata__: ["a"] }), /__metadata__ is not a map of strings/],
    ["an entry that is a list", file({ w: [1] }), /tensor "w": its entry is no object/],
    [
      "an unknown key in an entry",
      file({ w: { ...good.w, stride: 1 } }, 8),
      /tensor "w": its entry has unknown keys: got \["stride"\]/,
    ],
    [
      "a dtype that no tensor here has",
      file({ w: entry("C64", [1], 0, 8) }, 8),
      /tensor "w": unsupported dtype: got "C64", expected one of F32, I32, U32, BOOL, F16, .*, F64/,
    ],
    ["no dtype", file({ w: { shape: [1], data_offsets: [0, 4] } }, 4), /tensor "w": unsupported dtype: got nothing/],
    ["a negative extent", file({ w: entry("F32", [-2], 0, 8) }, 8), /tensor "w": shape is not a list of extents/],
    ["a fractional extent", file({ w: entry("F32", [0.5], 0, 2) }, 2), /tensor "w": shape is not/],
    [
      "extents whose product overflows",
      file({ w: entry("F32", [2 ** 40, 2 ** 40], 0, 8) }, 8),
      /tensor "w": shape is not/,
    ],
    [
      "offsets backwards",
      file({ w: entry("F32", [2], 8, 0) }, 8),
      /tensor "w": data_offsets are not two ascending counts/,
    ],
    ["three offsets", file({ w: { ...good.w, data_offsets: [0, 4, 8] } }, 8), /tensor "w": data_offsets/],
    [
      "bytes that don't fit the shape",
      file({ w: entry("F32", [3], 0, 8) }, 8),
      /tensor "w": its bytes don't fit its shape: got 8, expected 12 bytes/,
    ],
    [
      "out of range",
      file(good, 7),
      /the file is truncated: tensor "w" lies out of range: got 7 bytes after the header, expected ≥ 8/,
    ],
    ["bytes too many", file(good, 9), /bytes after the last tensor: got 1 bytes/],
    [
      "an overlap",
      file({ w: good.w, v: entry("F32", [2], 4, 12) }, 12),
      /tensor "v" overlaps the one before: got begin 4, expected begin 8/,
    ],
    ["the same bytes for two", file({ w: good.w, v: good.w }, 8), /overlaps the one before/],
    ["a hole", file({ w: good.w, v: entry("BOOL", [1], 9, 10) }, 10), /tensor "v" leaves a hole before it/],
    ["a hole at the start", file({ w: entry("F32", [1], 4, 8) }, 8), /tensor "w" leaves a hole before it/],
    [
      "a BOOL that is 2",
      file({ w: entry("BOOL", [3], 0, 3) }, Uint8Array.of(1, 0, 2)),
      /tensor "w": element 2 \(byte \d+\) is no bool: got 2, expected 0 or 1/,
    ],
    [
      "an I64 that int32 can't hold",
      file({ w: entry("I64", [2], 0, 16) }, new Uint8Array(BigInt64Array.of(-(2n ** 31n), 2n ** 31n).buffer)),
      /tensor "w": element 1 \(byte \d+\) is no int32: got 2147483648, expected an integer in \[-2147483648, 2147483647\]/,
    ],
    [
      "an I64 whose low half looks harmless",
      file({ w: entry("I64", [1], 0, 8) }, new Uint8Array(BigInt64Array.of(-(2n ** 63n) + 1n).buffer)),
      /tensor "w": element 0 .* is no int32: got -9223372036854775807/,
    ],
    [
      "a U64 that int32 can't hold",
      file({ w: entry("U64", [1], 0, 8) }, new Uint8Array(8).fill(0xff)),
      /tensor "w": element 0 .* is no int32: got 18446744073709551615/,
    ],
    [
      "an F64 beyond float32",
      file({ w: entry("F64", [3], 0, 24) }, new Uint8Array(Float64Array.of(1, Infinity, -1e300).buffer)),
      /tensor "w": element 2 .* is no float32: got -1e\+300, expected a number in float32's range/,
    ],
    [
      "an F64 that would round up to infinity",
      file({ w: entry("F64", [1], 0, 8) }, new Uint8Array(Float64Array.of(2 ** 128 - 2 ** 103).buffer)),
      /tensor "w": element 0 .* is no float32: got 3.4028235677973366e\+38/,
    ],
    [
      "an F64 of too few bytes",
      file({ w: entry("F64", [2], 0, 8) }, 8),
      /tensor "w": its bytes don't fit its shape: got 8, expected 16 bytes/,
    ],
  ];
  test.each(cases)("%s", (_, bytes, message) => {
    const decode = () => decodeSafetensors("runs/x.safetensors", bytes);
    expect(decode).toThrow(CheckpointError);
    expect(decode).toThrow(message);
    expect(decode).toThrow(/^runs\/x\.safetensors: /);
  });

  test("a file cut off anywhere, and one with a byte too many", () => {
    const whole = encodeSafetensors("t", [
      ["w", float32([1, 2])],
      ["m", { data: Uint8Array.of(1), shape: [1], dtype: "bool" }],
    ]);
    for (let length = 0; length < whole.length; length++)
      expect(() => decodeSafetensors("t", whole.slice(0, length)), `${length} bytes`).toThrow(CheckpointError);
    expect(() => decodeSafetensors("t", Uint8Array.of(...whole, 0))).toThrow(CheckpointError);
  });

  test("whatever byte of the header changes: what comes is a CheckpointError or a whole, valid file", () => {
    const whole = encodeSafetensors(
      "t",
      [
        ["w", float32([1, 2])],
        ["v", float32([3])],
      ],
      { a: "b" },
    );
    const header = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    let refused = 0;
    for (let at = 0; at < header; at++) {
      for (const change of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const bytes = whole.slice();
        bytes[at] ^= change;
        try {
          const { tensors } = decodeSafetensors("t", bytes);
          let total = 0;
          for (const { data, shape } of tensors.values()) {
            expect(data.length).toBe(sizeOf(shape));
            total += data.byteLength;
          }
          expect(total).toBe(12);
        } catch (error) {
          if (!(error instanceof CheckpointError)) throw error;
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(header * 4);
  });

  test("a file that isn't there, or isn't one", () => {
    const path = join(temporaryFolder(), "absent.safetensors");
    expect(() => readSafetensors(path)).toThrow(CheckpointError);
    expect(() => readSafetensors(path)).toThrow(`${path}: the file can't be read: got ENOENT`);
    writeFileSync(path, "step: 3\n");
    expect(() => readSafetensors(path)).toThrow(`${path}: the header's length`);
  });
});

describe("repeatedKey", () => {
  test.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}', undefined],
    ['{"a":"b","b":"a"}', undefined],
    ['{"a":["a","a"],"b":"{\\"a\\":1,\\"a\\":2}"}', undefined],
    ['{"a":{"b":1,"b":2}}', { key: "b", at: 12 }],
    ['[{"a":1},{"x":[],"y":[{"k":1}],"x":0}]', { key: "x", at: 31 }],
    ['{"a\\"":1,"a\\u0022":2}', { key: 'a"', at: 9 }],
    ['{"":1,"":2}', { key: "", at: 6 }],
  ])("%s", (text, expected) => {
    JSON.parse(text);
    expect(repeatedKey(text)).toEqual(expected);
  });

  test("agrees with JSON.parse on texts made at random", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(repeatedKey(JSON.stringify(value))).toBeUndefined();
      }),
      { numRuns: 300, seed: 2 },
    );
  });
});
