// The order of an epoch: windows of neighbours, one after another.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.ts";
import { type DataLoader, dataLoader, type LoadedBatch } from "../../src/data/index.ts";
import { sampleOrder } from "../../src/data/order.ts";
import { permutation } from "../../src/rng/samplers.ts";
import { resumed } from "../support/resumed.ts";
import { toyOptions, toyTrain } from "../support/toy.ts";

const draws = { seed: 5n, offset: 2 ** 41 };

describe("windows", () => {
  test("come in a random order, and each in its own: a permutation of all, of as many draws", () => {
    const order = Array.from(sampleOrder(23, draws, 5)(0, 23));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, i) => i));
    const windows = permutation(5n, 2 ** 41, 5);
    const expected = Array.from(windows).flatMap((window) => {
      const begin = 2 ** 41 + 2 * 4 + window * 2 * 4;
      return Array.from(permutation(5n, begin, window === 4 ? 3 : 5), (place) => window * 5 + place);
    });
    expect(order).toEqual(expected);
  });

  test("can be begun anywhere, forwards and back", () => {
    const whole = sampleOrder(23, draws, 5)(0, 23);
    const parts = sampleOrder(23, draws, 5);
    for (const [from, to] of [
      [20, 23],
      [3, 11],
      [0, 1],
      [22, 30],
      [23, 26],
    ])
      expect(parts(from, to)).toEqual(whole.slice(from, to));
  });

  test("one window of all is the order without windows; without draws it is the data's", () => {
    expect(sampleOrder(23, draws, 23)(0, 23)).toEqual(sampleOrder(23, draws)(0, 23));
    expect(sampleOrder(23, draws, 99)(0, 23)).toEqual(permutation(5n, 2 ** 41, 23));
    expect(Array.from(sampleOrder(5, undefined)(2, 9))).toEqual([2, 3, 4]);
  });
});

test("a loader with windows: a batch's samples are neighbours, and a run resumes in mid-epoch", async () => {
  const loader = () => toyTrain({ shuffleWindow: 20, batchSize: 10 });
  const batches = (from: DataLoader) => [...(from.batches(draws) as Iterable<LoadedBatch>)];
  for (const { indices } of batches(loader()))
    expect(new Set(Array.from(indices, (index) => Math.floor(index / 20))).size).toBeLessThanOrEqual(2);
  expect(loader().drawsPerEpoch).toBe(toyTrain().drawsPerEpoch);
  const [whole, again] = await resumed(toyOptions(), loader);
  expect(again).toBe(whole);
  expect(() => toyTrain({ shuffle: false, shuffleWindow: 4 })).toThrow(ConfigError);
  expect(dataLoader.length).toBe(2);
});
