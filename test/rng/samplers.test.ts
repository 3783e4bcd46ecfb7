import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapeError, StreamError } from "../../src/core/errors.ts";
import "../../src/ops/creation.ts";
import "../../src/ops/movement.ts";
import * as ops from "../../src/ops/random.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { permutation, randint } from "../../src/rng/samplers.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { categoricalThresholds } from "../../src/rng/thresholds.ts";

function words(seed: bigint, offset: number | bigint, count: number): Uint32Array {
  const out = new Uint32Array(count);
  fillWords(seed, offset, out);
  return out;
}

/** ⌊(first·2³² + second)·n / 2⁶⁴⌋ as NUMERICS has it. */
const scaled = (first: number, second: number, n: number) =>
  Number((((BigInt(first) << 32n) | BigInt(second)) * BigInt(n)) >> 64n);

const seed = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("randint", () => {
  test("is low + ⌊u·n/2⁶⁴⌋ over two draws, for any range of int32", () => {
    const bound = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
      fc.constantFrom(-(2 ** 31), 2 ** 31, 0, 1, -1, 2 ** 31 - 1),
    );
    fc.assert(
      fc.property(seed, fc.nat(2 ** 40), bound, bound, (seed, offset, a, b) => {
        fc.pre(a !== b);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const out = new Int32Array(20);
        randint(seed, offset, low, high, out);
        const drawn = words(seed, offset, 40);
        expect([...out]).toEqual(
          Array.from({ length: 20 }, (_, i) => low + scaled(drawn[2 * i], drawn[2 * i + 1], high - low)),
        );
      }),
    );
  });

  test("the whole of int32 is the first draw, moved", () => {
    const out = new Int32Array(100);
    randint(7n, 0, -(2 ** 31), 2 ** 31, out);
    const drawn = words(7n, 0, 200);
    out.forEach((value, i) => expect(value).toBe(drawn[2 * i] - 2 ** 31));
  });

  test("long ones, in any parts, are one sequence", () => {
    const whole = new Int32Array(20_001);
    randint(3n, 11, 0, 1000, whole);
    for (const from of [1, 4095, 4096, 4097, 12_288]) {
      const part = new Int32Array(whole.length - from);
      randint(3n, 11 + 2 * from, 0, 1000, part);
      expect(part).toEqual(whole.subarray(from));
      randint(3n, BigInt(11 + 2 * from), 0, 1000, part);
      expect(part).toEqual(whole.subarray(from));
    }
  });

  test.each([
    [0, 0],
    [1, 0],
    [0.5, 2],
    [0, Number.NaN],
    [0, Infinity],
    [-(2 ** 31) - 1, 0],
    [0, 2 ** 31 + 1],
  ])("[%s, %s) is refused", (low, high) => {
    expect(() => randint(0n, 0, low, high, new Int32Array(1))).toThrow(ShapeError);
    expect(() => randint(0n, 0, low, high, new Int32Array(1))).toThrow(`got [${low}, ${high})`);
  });

  test("a bad seed or offset is the stream's error", () => {
    expect(() => randint(-1n, 0, 0, 2, new Int32Array(1))).toThrow(StreamError);
    expect(() => randint(0n, -1, 0, 2, new Int32Array(1))).toThrow(StreamError);
  });
});

describe("permutation", () => {
  test("is Fisher and Yates from the end over 2·(n − 1) draws", () => {
    fc.assert(
      fc.property(seed, fc.nat(2 ** 40), fc.integer({ min: 0, max: 60 }), (seed, offset, count) => {
        const drawn = words(seed, offset, 2 * Math.max(0, count - 1));
        const expected = Array.from({ length: count }, (_, i) => i);
        for (let i = count - 1, draw = 0; i > 0; i--, draw += 2) {
          const j = scaled(drawn[draw], drawn[draw + 1], i + 1);
          [expected[i], expected[j]] = [expected[j], expected[i]];
        }
        expect([...permutation(seed, offset, count)]).toEqual(expected);
      }),
    );
  });

  test("60,000 elements: each once, and few stay", () => {
    const order = permutation(1234n, 5, 60_000);
    expect(order.slice().sort()).toEqual(Int32Array.from({ length: 60_000 }, (_, i) => i));
    expect(order.filter((value, i) => value === i).length).toBeLessThan(10);
  });

  test("none and one need no draw, not even at the stream's end", () => {
    expect(permutation(0n, 2n ** 64n, 0)).toEqual(new Int32Array(0));
    expect(permutation(0n, 2n ** 64n, 1)).toEqual(new Int32Array(1));
    expect(() => permutation(0n, 2n ** 64n, 2)).toThrow(StreamError);
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 31 + 1])("%s elements are refused", (count) => {
    expect(() => permutation(0n, 0, count)).toThrow(ShapeError);
  });
});

describe("thresholds of a categorical distribution", () => {
  test("thresholds are rounded shares of 2³²; the last is 2³²", () => {
    expect([...categoricalThresholds([1, 1, 2])]).toEqual([2 ** 30, 2 ** 31, 2 ** 32]);
    expect([...categoricalThresholds([0, 3, 0])]).toEqual([0, 2 ** 32, 2 ** 32]);
    expect([...categoricalThresholds([0.1, 0.2, 0.7])]).toEqual([
      Math.round((0.1 / (0.1 + 0.2 + 0.7)) * 2 ** 32),
      Math.round(((0.1 + 0.2) / (0.1 + 0.2 + 0.7)) * 2 ** 32),
      2 ** 32,
    ]);
  });

  test.each([
    [[], "weights without a finite positive sum"],
    [[0, 0], "weights without a finite positive sum"],
    [[1e308, 1e308], "weights without a finite positive sum"],
    [[1, Infinity], "weights without a finite positive sum"],
    [[1, -1], "weight 1 is not a weight"],
    [[Number.NaN], "weight 0 is not a weight"],
  ])("%j is refused", (weights, problem) => {
    expect(() => categoricalThresholds(weights)).toThrow(ShapeError);
    expect(() => categoricalThresholds(weights)).toThrow(problem);
  });
});

describe("random ops", () => {
  test.each([
    ["uniform", () => ops.uniform([3, 4]), 12],
    ["uniform between", () => ops.uniform([3, 4], -1, 1), 12],
    ["normal", () => ops.normal([5]), 5],
    ["bernoulli of more axes", () => ops.bernoulli([2, 2, 2], 0.9), 8],
    ["bernoulli", () => ops.bernoulli([6], 1), 6],
    ["randint", () => ops.randint([3, 4], 0, 7), 24],
    ["permutation", () => ops.permutation(10), 18],
    ["permutation of one", () => ops.permutation(1), 0],
    ["a scalar", () => ops.uniform([]), 1],
    ["an empty tensor", () => ops.normal([0, 3]), 0],
  ] as const)("%s takes draws by its shape alone, when it is made", (_, make, draws) => {
    const stream = new Stream(1234, 100);
    withStream(stream, make);
    expect(stream.position).toBe(100 + draws);
  });
});
