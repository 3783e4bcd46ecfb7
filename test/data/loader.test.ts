// Loaders at their edges: where an epoch may start, datasets of one sample, transforms, memory that isn't shared between batches.
import { describe, expect, test } from "vitest";
import { sha256Hex, toHex } from "../../src/core/canonical.ts";
import type { TypedArray } from "../../src/core/dtype.ts";
import { DataError } from "../../src/core/errors.ts";
import { arrayDataset, type DataLoader, type Dataset, dataLoader, type LoadedBatch } from "../../src/data/index.ts";

const toy = (size: number) =>
  arrayDataset("toy", {
    inputs: { data: Float32Array.from({ length: size }, (_, i) => i / 2), shape: [size, 1], dtype: "float32" },
    flags: { data: Uint8Array.from({ length: size }, (_, i) => i % 2), shape: [size], dtype: "bool" },
  });
const epoch = { seed: 3n, offset: 11 };
const all = (loader: DataLoader, start?: number) => [...(loader.batches(epoch, start) as Iterable<LoadedBatch>)];

describe("where an epoch starts", () => {
  test("at its end there is nothing left; past it, before it or between batches it is an error at once", () => {
    const loader = dataLoader(toy(10), { batchSize: 3, shuffle: true });
    expect(all(loader, 3)).toEqual([]);
    for (const start of [4, -1, 0.5, Number.NaN]) {
      expect(() => loader.batches(epoch, start)).toThrow(DataError);
      expect(() => loader.batches(epoch, start)).toThrow(`got ${start}, expected an integer in [0, 3]`);
    }
  });

  test("two walks through an epoch don't disturb each other", () => {
    const loader = dataLoader(toy(9), { batchSize: 2, shuffle: true, dropLast: false });
    const whole = all(loader);
    const [a, b] = [1, 3].map((start) => (loader.batches(epoch, start) as Iterable<LoadedBatch>)[Symbol.iterator]());
    for (let i = 0; i < 2; i++) {
      expect(a.next().value).toEqual(whole[1 + i]);
      expect(b.next().value).toEqual(whole[3 + i]);
    }
  });
});

test("the order doesn't depend on the batch size", () => {
  const order = (batchSize: number) =>
    all(dataLoader(toy(12), { batchSize, shuffle: true, dropLast: false })).flatMap(({ indices }) =>
      Array.from(indices),
    );
  for (const batchSize of [1, 5, 12]) expect(order(batchSize)).toEqual(order(4));
});

test("one sample: no draws, one batch", () => {
  const loader = dataLoader(toy(1), { batchSize: 1, shuffle: true });
  expect([loader.drawsPerEpoch, loader.batchesPerEpoch]).toEqual([0, 1]);
  expect(Array.from(all(loader)[0].indices)).toEqual([0]);
});

test("a batch's memory is its own: what a user writes there changes no other batch and no data", () => {
  const dataset = toy(4);
  const loader = dataLoader(dataset, { batchSize: 4 });
  const [first] = all(loader);
  first.tensors.inputs.data.fill(99);
  expect(all(loader)[0].tensors.inputs.data).toEqual(Float32Array.of(0, 0.5, 1, 1.5));
});

test("a batch that is released lends its memory to a later one, which is as it would have been", () => {
  // Fields that write only some elements, and other types and sizes beside.
  const dataset: Dataset = {
    name: "sparse",
    size: 7,
    digests: {},
    fields: {
      oneHot: {
        shape: [8],
        dtype: "float32",
        read: (indices, out) => {
          indices.forEach((index, row) => {
            out[8 * row + index] = index + 1;
          });
        },
      },
      half: {
        shape: [16],
        dtype: "bool",
        read: (indices, out) => {
          indices.forEach((index, row) => {
            out.fill(1, 16 * row + index, 16 * row + 8);
          });
        },
      },
      label: {
        shape: [],
        dtype: "int32",
        read: (indices, out) => out.set(indices),
      },
    },
  };
  const loader = dataLoader(dataset, { batchSize: 2, shuffle: true, dropLast: false });
  const kept = all(loader);
  let before: LoadedBatch | undefined;
  let memory: TypedArray | undefined;
  let at = 0;
  for (const batch of loader.batches(epoch) as Iterable<LoadedBatch>) {
    expect(batch).toEqual(kept[at++]);
    if (before) {
      memory = before.tensors.oneHot.data;
      loader.release!(before);
      loader.release!(before);
      // Whoever kept an array finds nothing in it rather than another batch.
      expect(memory.length).toBe(0);
      expect(() => before!.tensors).toThrow(DataError);
    }
    before = batch;
  }
  expect(at).toBe(4);
});

test("memory that was sent elsewhere isn't taken back", () => {
  const loader = dataLoader(toy(4), { batchSize: 2 });
  const batches = (loader.batches(epoch) as Iterable<LoadedBatch>)[Symbol.iterator]();
  const first: LoadedBatch = batches.next().value;
  const { buffer } = first.tensors.inputs.data;
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  loader.release!(first);
  expect(batches.next().value.tensors.inputs.data).toEqual(Float32Array.of(1, 1.5));
});

test("a transform sees a batch and its indices, and what it returns is the batch", () => {
  const loader = dataLoader(toy(5), {
    batchSize: 2,
    transform: ({ inputs }, indices) => ({
      doubled: { ...inputs, data: Float32Array.from(inputs.data, (x) => 2 * x) },
      first: { data: Int32Array.of(indices[0]), shape: [1], dtype: "int32" },
    }),
  });
  const batches = all(loader);
  expect(batches.map(({ tensors }) => tensors.first.data[0])).toEqual([0, 2, 4]);
  expect(batches[1].tensors.doubled).toEqual({ data: Float32Array.of(2, 3), shape: [2, 1], dtype: "float32" });
  expect(batches[1].tensors.inputs).toBeUndefined();
});

test("digests are SHA-256 of the little-endian elements, by dataset and field", () => {
  const { digests } = toy(3);
  expect(Object.keys(digests)).toEqual(["toy/inputs", "toy/flags"]);
  expect(digests["toy/flags"]).toBe(sha256Hex(Uint8Array.of(0, 1, 0)));
  const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0x80, 0x3f);
  expect(toHex(new Uint8Array(new Float32Array([0, 0.5, 1]).buffer))).toBe(toHex(bytes));
  expect(digests["toy/inputs"]).toBe(sha256Hex(bytes));
});

test("a dataset's elements must fit their shape", () => {
  const data = new Float32Array(5);
  expect(() => arrayDataset("d", { x: { data, shape: [2, 3], dtype: "float32" } })).toThrow(/dataset d: field x/);
  expect(() => arrayDataset("d", { x: { data: new Float32Array(1), shape: [], dtype: "float32" } })).toThrow(DataError);
});
