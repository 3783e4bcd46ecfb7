// Datasets that are read later: the batches, and a run's digest, of the same data at hand.
import { expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import {
  type AsyncSource,
  arrayDataset,
  asyncDataset,
  type DataLoader,
  dataLoader,
  type LoadedBatch,
} from "../../src/data/index.ts";
import { toyTrainer } from "../support/toy.ts";

const size = 24;
const inputs = Float32Array.from({ length: size * 4 }, (_, i) => ((i * 7) % 11) / 5 - 1);
const targets = Int32Array.from({ length: size }, (_, i) => i % 2);
const atHand = arrayDataset("rows", {
  inputs: { data: inputs, shape: [size, 4], dtype: "float32" },
  targets: { data: targets, shape: [size], dtype: "int32" },
});
let reads = 0;
const source: AsyncSource = {
  size,
  fields: { inputs: { shape: [4], dtype: "float32" }, targets: { shape: [], dtype: "int32" } },
  digests: atHand.digests,
  async read(samples) {
    reads++;
    await new Promise((done) => setTimeout(done, 1));
    return {
      inputs: Float32Array.from([...samples].flatMap((i) => [...inputs.subarray(i * 4, i * 4 + 4)])),
      targets: samples.map((i) => targets[i]),
    };
  },
};
const later = asyncDataset("rows", source);
const options = { batchSize: 5, shuffle: true, validationSplit: 0.25 };
const epoch = { seed: 3n, offset: 11 };

async function all(loader: DataLoader): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const { tensors, indices } of loader.batches(epoch))
    batches.push([structuredClone(tensors), [...Array.from(indices)]]);
  return batches;
}

test("batches are those of the same data at hand: shuffled, split, transformed, from any batch on", async () => {
  const [a, b] = [atHand, later].map((dataset) => dataLoader(dataset, options));
  expect(await all(b)).toEqual(await all(a));
  expect(await all(b.validation!)).toEqual(await all(a.validation!));
  const transform = (tensors: LoadedBatch["tensors"]) => ({ both: tensors.targets });
  const [c, d] = [atHand, later].map((dataset) => dataLoader(dataset, { batchSize: 7, transform }));
  expect(await all(d)).toEqual(await all(c));
  expect(Object.keys(((await all(d))[0] as [object])[0])).toEqual(["both"]);
  const first = reads;
  for await (const { indices } of d.batches(epoch, 3)) expect([...Array.from(indices)]).toEqual([21, 22, 23]);
  expect(reads).toBe(first + 1);
});

test("a run on it has the digest of a run on the data at hand, memory that is given back included", async () => {
  const [a, b] = [atHand, later].map((dataset) =>
    toyTrainer({ loop: { numEpochs: 2, evalFrequency: "epoch" } }).fit(dataLoader(dataset, options)),
  );
  expect([(await b).digest, (await b).metrics]).toEqual([(await a).digest, (await a).metrics]);
});

test("what is read is held to the fields, and a failed read is the loop's error", async () => {
  const broken = (read: AsyncSource["read"]) =>
    all(dataLoader(asyncDataset("rows", { ...source, read }), { batchSize: 5 }));
  const targetsOf = (samples: Int32Array) => samples.map(() => 0);
  const long = new Float32Array(19);
  await expect(broken(async (samples) => ({ targets: targetsOf(samples) }))).rejects.toThrow(
    "dataset rows: read of inputs: other elements than its field says: got nothing, expected 20 elements of Float32Array",
  );
  await expect(broken(async (samples) => ({ inputs: long, targets: targetsOf(samples) }))).rejects.toThrow(
    "got 19 elements of Float32Array, expected 20",
  );
  await expect(
    broken(async (samples) => ({ inputs: new Float32Array(20), targets: Float32Array.from(targetsOf(samples)) })),
  ).rejects.toThrow(
    "read of targets: other elements than its field says: got 5 elements of Float32Array, expected 5 elements of Int32Array",
  );
  await expect(broken(() => Promise.reject(new Error("the disk is gone")))).rejects.toThrow("the disk is gone");
  expect(() => later.fields.inputs.read(new Int32Array(1), new Float32Array(4))).toThrow(DataError);
});
