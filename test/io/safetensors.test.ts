// safetensors: round trips to the bit, files that an independent reader in another language understands, and damage found wherever it is.
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../src/core/array.ts";
import { CheckpointError } from "../../src/core/errors.ts";
import { decodeSafetensors, encodeSafetensors, readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const tensors: [string, HostArray][] = [
  [
    "parameter/0.weight",
    { data: Float32Array.of(1, -0, Number.NaN, 1e-45, Infinity, 0.1), shape: [2, 3], dtype: "float32" },
  ],
  ["buffer/é", { data: Int32Array.of(-5, 2 ** 31 - 1), shape: [2], dtype: "int32" }],
  ["mask", { data: Uint8Array.of(1, 0, 1), shape: [3], dtype: "bool" }],
  ["words", { data: Uint32Array.of(2 ** 32 - 1), shape: [], dtype: "uint32" }],
  ["empty", { data: new Float32Array(0), shape: [0, 4], dtype: "float32" }],
  ["10", { data: Float32Array.of(2), shape: [1], dtype: "float32" }],
];
const good = encodeSafetensors("f", tensors, { seedgrad: '{"step":3}' });

describe("round trip", () => {
  test("names, shapes, dtypes, bits, metadata", () => {
    const { tensors: read, metadata } = decodeSafetensors("f", good);
    expect(metadata).toEqual({ seedgrad: '{"step":3}' });
    expect([...read.keys()].sort()).toEqual(tensors.map(([name]) => name).sort());
    for (const [name, { data, shape, dtype }] of tensors) {
      const found = read.get(name)!;
      expect([found.shape, found.dtype]).toEqual([shape, dtype]);
      expect(new Uint8Array(found.data.buffer)).toEqual(new Uint8Array(data.buffer));
    }
  });

  test("the order given never matters", () => {
    expect(encodeSafetensors("f", [...tensors].reverse(), { seedgrad: '{"step":3}' })).toEqual(good);
  });

  const python = spawnSync("python3", ["--version"]).status === 0;
  if (!python) console.warn("safetensors: no python3 here, so the independent reader is skipped");
  test.skipIf(!python)("an independent reader in Python reads it", () => {
    const path = `${temporaryFolder()}/t.safetensors`;
    writeSafetensors(
      path,
      tensors.filter(([name]) => name !== "parameter/0.weight"),
      { a: "b" },
    );
    const out = JSON.parse(
      execFileSync("python3", [`${root}test/support/read_safetensors.py`, path], { encoding: "utf8" }),
    );
    expect(out.metadata).toEqual({ a: "b" });
    expect(out.tensors["buffer/é"]).toEqual({ dtype: "I32", shape: [2], values: [-5, 2 ** 31 - 1] });
    expect(out.tensors.mask).toEqual({ dtype: "BOOL", shape: [3], values: [true, false, true] });
    expect(out.tensors.words.values).toEqual([2 ** 32 - 1]);
    expect(out.tensors.empty).toEqual({ dtype: "F32", shape: [0, 4], values: [] });
  });
});

describe("damage", () => {
  test("cut off anywhere", () => {
    for (let length = 0; length < good.length; length++)
      expect(() => decodeSafetensors("f", good.subarray(0, length)), `${length} bytes`).toThrow(CheckpointError);
    expect(() => decodeSafetensors("f", Uint8Array.of(...good, 0))).toThrow(/bytes after/);
  });

  const withHeader = (header: unknown, body = 4) => {
    const text = typeof header === "string" ? header : JSON.stringify(header);
    const bytes = new Uint8Array(8 + text.length + body);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(new TextEncoder().encode(text), 8);
    return bytes;
  };
  const entry = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  test.each([
    ["a length beyond all bounds", Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255), /too large/],
    ["no JSON", withHeader("{nonsense"), /not JSON/],
    ["no object", withHeader("[1]"), /begin with {/],
    ["a name twice", withHeader(`{"a":${JSON.stringify(entry)},"a":${JSON.stringify(entry)}}`), /twice/],
    ["an unknown dtype", withHeader({ a: { ...entry, dtype: "F64" } }), /dtype/],
    ["a shape that doesn't fit", withHeader({ a: { ...entry, shape: [2] } }), /don't fit its shape/],
    ["a negative extent", withHeader({ a: { ...entry, shape: [-1] } }), /extents/],
    ["offsets out of range", withHeader({ a: { ...entry, data_offsets: [4, 8] } }), /out of range|hole/],
    ["an overlap", withHeader({ a: entry, b: entry }), /overlaps/],
    ["a hole", withHeader({ a: { ...entry, data_offsets: [4, 8] } }, 8), /hole/],
    ["metadata that isn't text", withHeader({ __metadata__: { a: 1 }, a: entry }), /map of strings/],
    [
      "a bool of 2",
      withHeader({ a: { dtype: "BOOL", shape: [1], data_offsets: [0, 1] } }, 1).map((byte, i, all) =>
        i === all.length - 1 ? 2 : byte,
      ),
      /no BOOL/,
    ],
  ])("%s", (_, bytes, message) => {
    const path = `${temporaryFolder()}/bad.safetensors`;
    writeFileSync(path, bytes);
    expect(() => readSafetensors(path)).toThrow(CheckpointError);
    expect(() => readSafetensors(path)).toThrow(message);
    expect(() => readSafetensors(path)).toThrow(path);
  });
});
