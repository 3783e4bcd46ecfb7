// Where a training loader draws: the places in the stream that a numerics id pins.
import { describe, expect, test } from "vitest";
import { DataError, StreamError } from "../../src/core/errors.ts";
import { epochDraws } from "../../src/data/draws.ts";
import { arrayDataset, dataLoader, type LoadedBatch } from "../../src/data/index.ts";

const loader = (drawsPerEpoch: number) => ({ name: "d", drawsPerEpoch });

test("loader l, epoch e: from 2⁴¹ + l · 2³⁸ + 2³⁰ + e · D", () => {
  expect(epochDraws(loader(138), 5n, 0)).toEqual({ seed: 5n, offset: 2 ** 41 + 2 ** 30 });
  expect(epochDraws(loader(138), 5n, 7)).toEqual({ seed: 5n, offset: 2 ** 41 + 2 ** 30 + 7 * 138 });
  expect(epochDraws(loader(138), 5n, 7, 3).offset).toBe(2 ** 41 + 3 * 2 ** 38 + 2 ** 30 + 7 * 138);
  expect(epochDraws(loader(0), 5n, 1e9).offset).toBe(2 ** 41 + 2 ** 30);
});

test("an epoch that would leave the loader's part is a StreamError that names the region", () => {
  const room = 2 ** 38 - 2 ** 30;
  expect(epochDraws(loader(room), 1n, 0, 7).offset + room).toBe(2 ** 42);
  for (const body of [
    () => epochDraws(loader(room), 1n, 1),
    () => epochDraws(loader(room + 1), 1n, 0),
    () => epochDraws(loader(2), 1n, Number.MAX_SAFE_INTEGER),
    () => epochDraws(loader(2), 1n, 0, 8),
  ]) {
    expect(body).toThrow(StreamError);
    expect(body).toThrow(/data region/);
  }
  for (const draws of [-1, 0.5, Number.NaN]) expect(() => epochDraws(loader(draws), 1n, 0)).toThrow(DataError);
});

describe("a loader's shuffleSeed", () => {
  const dataset = arrayDataset("d", { inputs: { data: new Float32Array(9), shape: [9], dtype: "float32" } });
  const make = (options: object) => dataLoader(dataset, { batchSize: 9, ...options });
  const order = (options: object, seed: bigint) =>
    [...(make({ shuffle: true, ...options }).batches({ seed, offset: 11 }) as Iterable<LoadedBatch>)].flatMap(
      ({ indices }) => Array.from(indices),
    );

  test("draws from that seed's stream, at the same places; 0 is a seed", () => {
    for (const shuffleSeed of [0, 3n, 2n ** 64n - 1n])
      expect(order({ shuffleSeed }, 99n)).toEqual(order({}, BigInt(shuffleSeed)));
    expect(make({ shuffle: true, shuffleSeed: 0 }).shuffleSeed).toBe(0n);
    expect(make({ shuffle: true })).not.toHaveProperty("shuffleSeed");
  });

  test("is a seed, and needs shuffle", () => {
    for (const shuffleSeed of [-1, 1.5, "3", 2n ** 64n, null])
      expect(() => make({ shuffle: true, shuffleSeed })).toThrow(/loader d: shuffleSeed: /);
    expect(() => make({ shuffleSeed: 3 })).toThrow(/an order that isn't shuffled/);
  });
});
