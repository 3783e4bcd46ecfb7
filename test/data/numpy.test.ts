// .npy and .npz files that NumPy wrote (files/make.py), and what isn't one.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import {
  type Dataset,
  dataLoader,
  inputsDataset,
  type LoadedBatch,
  npyArray,
  npyDataset,
  npzArrays,
  npzDataset,
} from "../../src/data/index.ts";
import { crc32 } from "../../src/io/crc.ts";
import { decodeNpy } from "../../src/io/npy.ts";
import { decodeZip } from "../../src/io/zip.ts";
import * as nn from "../../src/nn/index.ts";
import { loaders } from "../../src/train/config/families.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { root } from "../support/sources.ts";
import { toyOptions } from "../support/toy.ts";

const files = `${root}test/data/files`;
const bytes = (name: string) => new Uint8Array(readFileSync(`${files}/${name}`));
/** A copy with another byte at one place. */
const changed = (from: Uint8Array, at: number, byte: number) => from.map((old, i) => (i === at ? byte : old));
const npy = (name: string) => decodeNpy(name, bytes(name));
const eighths = Float32Array.from({ length: 12 }, (_, i) => i / 8);

describe(".npy", () => {
  test.each([
    ["float64.npy", [4, 3]],
    ["big.npy", [4, 3]],
    ["half.npy", [4, 3]],
    ["fortran.npy", [2, 2, 3]],
  ])("%s: row by row, as float32", (name, shape) => {
    expect(npy(name)).toEqual({ data: eighths, shape, dtype: "float32" });
  });

  test("the array of a file, and those of an archive", () => {
    expect(npyArray(`${files}/float64.npy`)).toEqual(npy("float64.npy"));
    expect([...npzArrays(`${files}/stored.npz`).keys()]).toContain("x_train");
    expect(() => npyArray(`${files}/none.npy`)).toThrow(DataError);
    expect(() => npyDataset({ inputs: `${files}/scalar.npy` })).toThrow(/expected \[samples, \.\.\.\]/);
  });

  test("bool, and an array without axes", () => {
    expect(npy("flags.npy")).toEqual({ data: Uint8Array.of(1, 0, 1, 1), shape: [4], dtype: "bool" });
    expect(npy("scalar.npy")).toEqual({ data: Float32Array.of(2), shape: [], dtype: "float32" });
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["int64 beyond int32", bytes("wide.npy"), /element 3 is no int32: got 2147483648/],
    ["records", bytes("record.npy"), /elements of this type aren't read/],
    ["another file", bytes("rgb.png"), /not a \.npy file/],
    ["one that is cut", bytes("big.npy").subarray(0, 150), /isn't as long as its header says: got 22 bytes/],
    ["one that is cut in its header", bytes("big.npy").subarray(0, 60), /truncated in its header/],
    ["one of another version", changed(bytes("big.npy"), 6, 9), /unknown version/],
    ["a header that is none", bytes("big.npy").fill(0x20, 10, 60), /header isn't a dictionary/],
  ])("%s", (_what, given, message) => {
    expect(() => decodeNpy("a.npy", given)).toThrow(DataError);
    expect(() => decodeNpy("a.npy", given)).toThrow(message);
  });
});

describe(".npz", () => {
  test.each(["stored.npz", "deflated.npz"])("%s", (name) => {
    const dataset = npzDataset({ file: `${files}/${name}`, inputs: "x_train", targets: "y_train", scale: 1 / 16 });
    const [batch] = dataLoader(dataset, { batchSize: 4 }).batches({ seed: 1n, offset: 0 }) as Iterable<{
      tensors: object;
    }>;
    expect(batch.tensors).toEqual({
      inputs: { data: Float32Array.from({ length: 16 }, (_, i) => i / 16), shape: [4, 2, 2], dtype: "float32" },
      targets: { data: Int32Array.of(0, 1, 1, 0), shape: [4], dtype: "int32" },
    });
  });

  test("floats of one axis as targets are [samples, 1]; integers as inputs stay integers", () => {
    const { fields } = npzDataset({ file: `${files}/stored.npz`, inputs: "x_train", targets: "weights" });
    expect([fields.targets.shape, fields.inputs.dtype]).toEqual([[1], "int32"]);
  });

  test("what is wrong", () => {
    const file = `${files}/stored.npz`;
    expect(() => npzDataset({ file, inputs: "x_trian" })).toThrow(/no array of this name: got x_trian.*\n.*x_train\?/);
    const whole = bytes("deflated.npz");
    expect(() => decodeZip("z", whole.subarray(0, whole.length - 30))).toThrow(/its end isn't there/);
    expect(() => decodeZip("z", bytes("rgb.png"))).toThrow(DataError);
    const at = whole.length - 22;
    expect(() => decodeZip("z", changed(whole, at + 16, whole[at + 16] ^ 1))).toThrow(/directory is damaged/);
    // A byte of the first file's data: either its deflate stream or its checksum tells.
    expect(() => decodeZip("z", changed(whole, 80, whole[80] ^ 255))).toThrow(/damaged/);
    expect(() => decodeZip("z", changed(bytes("stored.npz"), 200, 99))).toThrow(/checksum/);
    expect(() => decodeZip("z", changed(whole, at + 10, 1))).toThrow(/directory is damaged: got 1 entries/);
    expect(() => decodeZip("z", changed(whole, whole.indexOf(120, 14), 121))).toThrow(/has another name where it lies/);
  });

  test("files that are there twice, or lie over each other", () => {
    const u16 = (value: number) => [value & 255, value >>> 8];
    const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
    const facts = (data: Uint8Array) => [
      ...Array(8).fill(0),
      ...u32(crc32(data)),
      ...u32(data.length),
      ...u32(data.length),
    ];
    const local = (name: string, data: Uint8Array) =>
      Uint8Array.of(80, 75, 3, 4, 20, 0, ...facts(data), 1, 0, 0, 0, name.charCodeAt(0), ...data);
    const archive = (body: Uint8Array, entries: readonly (readonly [name: string, data: Uint8Array, at: number])[]) => {
      const directory = entries.flatMap(([name, data, at]) => [
        ...[80, 75, 1, 2, 20, 0, 20, 0, ...facts(data), 1, 0, ...Array(12).fill(0)],
        ...[...u32(at), name.charCodeAt(0)],
      ]);
      const counts = [...u16(entries.length), ...u16(entries.length)];
      const end = [80, 75, 5, 6, 0, 0, 0, 0, ...counts, ...u32(directory.length), ...u32(body.length), 0, 0];
      return Uint8Array.of(...body, ...directory, ...end);
    };
    const inner = new Uint8Array(500);
    const outer = local("b", inner);
    const body = local("a", outer);
    const [a, b] = [["a", outer, 0] as const, ["b", inner, 31] as const];
    expect(decodeZip("z", archive(body, [a]))).toEqual(new Map([["a", outer]]));
    expect(() => decodeZip("z", archive(body, [a, a]))).toThrow("z: a is in the zip archive twice");
    expect(() => decodeZip("z", archive(body, [a, b]))).toThrow(/files of the zip archive lie over each other/);
  });
});

describe("samples that stay in the file", () => {
  const all = (dataset: Dataset) =>
    dataLoader(dataset, { batchSize: 3, shuffle: true, dropLast: false, shuffleWindow: 2 });
  const batches = (dataset: Dataset) => [...(all(dataset).batches({ seed: 1n, offset: 0 }) as Iterable<LoadedBatch>)];

  test.each(["float64.npy", "big.npy", "half.npy"])("%s: as in memory, batches and digests", (name) => {
    const options = { inputs: `${files}/${name}`, targets: `${files}/flags.npy`, scale: 0.5 };
    const [disk, memory] = [false, true].map((memory) => npyDataset({ ...options, memory }));
    expect(disk.digests).toEqual(memory.digests);
    expect(batches(disk)).toEqual(batches(memory));
    expect(batches(memory).length).toBe(2);
  });

  test("a run on them is the run in memory, and resumes in mid-epoch", async () => {
    const folder = temporaryFolder();
    const inputs = `${folder}/inputs.npy`;
    const targets = `${folder}/targets.npy`;
    writeFileSync(inputs, bytes("big.npy"));
    const flags = npy("flags.npy").data;
    const header = `{'descr': '<i4', 'fortran_order': False, 'shape': (4,), }`.padEnd(117, " ");
    writeFileSync(
      targets,
      Buffer.concat([
        Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]),
        Buffer.from(`${header}\n`),
        Buffer.from(Int32Array.from(flags).buffer),
      ]),
    );
    const loader = (memory: boolean) =>
      dataLoader(npyDataset({ inputs, targets, memory }), { batchSize: 1, shuffle: true, shuffleWindow: 2 });
    const model = () => nn.linear(3, 2);
    const [whole, again] = await resumed(toyOptions({ model }), () => loader(false));
    const [inMemory] = await resumed(toyOptions({ model }), () => loader(true));
    expect([again, inMemory]).toEqual([whole, whole]);
  });

  test("what is wrong", () => {
    const make = (inputs: string, targets?: string) => () =>
      npyDataset({ inputs: `${files}/${inputs}`, memory: false, ...(targets && { targets: `${files}/${targets}` }) });
    expect(make("fortran.npy")).toThrow(/samples lie apart/);
    expect(make("scalar.npy")).toThrow(/at least one/);
    expect(make("big.npy", "fortran.npy")).toThrow(DataError);
    expect(make("wide.npy")).toThrow(/element 3 is no int32/);
    expect(make("big.npy", "flags.npy")().size).toBe(4);
  });
});

test("inputs to predict: .npy, and .npz with an array of that name", () => {
  expect(inputsDataset(`${files}/big.npy`).fields.inputs.shape).toEqual([3]);
  expect(() => inputsDataset(`${files}/stored.npz`)).toThrow(/holds no inputs: got x_train, y_train, weights/);
});

test("in a config, a pair of files; it resumes in mid-epoch", async () => {
  const folder = temporaryFolder();
  for (const name of ["float64.npy", "flags.npy"]) writeFileSync(`${folder}/${name}`, bytes(name));
  const make = () =>
    loaders.make({
      name: "npy",
      inputs: `${folder}/float64.npy`,
      targets: `${folder}/flags.npy`,
      batchSize: 1,
      shuffle: true,
    });
  const { digests } = make();
  expect(Object.keys(digests)).toEqual(["float64.npy/inputs", "float64.npy/targets"]);
  expect(npyDataset({ inputs: `${folder}/float64.npy` }).size).toBe(4);
  const loader = () =>
    loaders.make({
      name: "npz",
      file: `${files}/stored.npz`,
      inputs: "x_train",
      targets: "y_train",
      scale: 0.1,
      batchSize: 1,
      shuffle: true,
    });
  const model = () => nn.sequential(nn.flatten(), nn.linear(4, 2));
  const [whole, again] = await resumed(toyOptions({ model }), loader);
  expect(again).toBe(whole);
});
