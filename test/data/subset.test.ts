// Samples that are named: which they are, in which order, how often; of a part of a split, of a table; and a run on them.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/core/errors.ts";
import {
  arrayDataset,
  csvDataset,
  type Dataset,
  dataLoader,
  type LoadedBatch,
  randomSplit,
  subset,
} from "../../src/data/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { resumed } from "../support/resumed.ts";
import { toyOptions, toySamples } from "../support/toy.ts";

const toy = (size = 12) =>
  arrayDataset("toy", {
    inputs: { data: Float32Array.from({ length: size }, (_, i) => i / 2), shape: [size, 1], dtype: "float32" },
  });
/** The numbers of an epoch's samples, and their inputs. */
function read(dataset: Dataset, options = {}): [indices: number[], inputs: number[]] {
  const loader = dataLoader(dataset, { batchSize: 2, ...options });
  const batches = [...(loader.batches({ seed: 3n, offset: 2 ** 41 + 2 ** 30 }) as Iterable<LoadedBatch>)];
  return [
    batches.flatMap(({ indices }) => Array.from(indices)),
    batches.flatMap(({ tensors }) => Array.from(tensors.inputs.data)),
  ];
}

describe("subset", () => {
  test("has the samples that it names, in their order, as often as they are named", () => {
    const part = subset(toy(), [7, 2, 7]);
    expect([part.name, part.size]).toEqual(["toy/subset", 3]);
    expect(read(part)).toEqual([
      [7, 2, 7],
      [3.5, 1, 3.5],
    ]);
    expect(read(subset(toy(), Int32Array.of(11)))[0]).toEqual([11]);
  });

  test("is shuffled as any dataset, within windows too", () => {
    const part = subset(toy(), [9, 8, 1, 0]);
    const [all] = read(part, { shuffle: true });
    expect([...all].sort()).toEqual([0, 1, 8, 9]);
    const [windows] = read(part, { shuffle: true, shuffleWindow: 2 });
    expect([windows.slice(0, 2), windows.slice(2)].map((pair) => pair.sort().join()).sort()).toEqual(["0,1", "8,9"]);
  });

  test("of a part of a split, and of a subset, counts within these", () => {
    const [, half] = randomSplit(toy(), [0.5, 0.5], { seed: 1 });
    const [whole] = read(half);
    expect(read(subset(half, [5, 0]))[0]).toEqual([whole[5], whole[0]]);
    expect(read(subset(subset(toy(), [4, 6, 8]), [2, 1]))[0]).toEqual([8, 6]);
    const [first] = randomSplit(subset(toy(), [1, 3, 5, 7]), [3, 1]);
    expect(read(first)[0].every((sample) => [1, 3, 5, 7].includes(sample))).toBe(true);
  });

  test("which samples they are is in the digests", () => {
    const digests = [
      [0, 1],
      [1, 0],
      [0, 1, 1],
    ].map((samples) => JSON.stringify(subset(toy(), samples).digests));
    const nested = [
      [0, 2],
      [0, 3],
    ].map((samples) => JSON.stringify(subset(subset(toy(), samples), [1]).digests));
    expect(new Set([...digests, ...nested]).size).toBe(5);
    expect(subset(toy(), [0]).digests).toMatchObject(toy().digests);
  });

  test("of a table is standardised by its own rows", () => {
    const file = `${temporaryFolder()}/t.csv`;
    writeFileSync(file, "a,b\n1,0\n3,0\n100,0\n");
    const table = csvDataset(file, { target: "b", standardize: true });
    expect(read(subset(table, [0, 1]))[1]).toEqual([-1, 1]);
  });

  test("a number that no sample has, and none at all", () => {
    for (const wrong of [12, -1, 0.5, Number.NaN]) expect(() => subset(toy(), [0, wrong])).toThrow(DataError);
    expect(() => subset(toy(), [12])).toThrow(
      /dataset toy: samples: no sample has this number: got 12, expected an integer in \[0, 12\)/,
    );
    expect(() => subset(toy(), [])).toThrow(/a part holds no sample/);
  });

  test("a run on one is gone on with to the digest that it would have had", async () => {
    const loader = () =>
      dataLoader(subset(toySamples, [0, 3, 6, 9, 12, 15, 15, 15, 40, 41, 42]), { batchSize: 2, shuffle: true });
    const [whole, again] = await resumed(toyOptions({ metrics: {} }), loader);
    expect(again).toBe(whole);
  });
});
