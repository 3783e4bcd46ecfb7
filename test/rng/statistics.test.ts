// What a user's numbers look like as samples: fixed seeds, so these pass or fail for good. Scores are in standard deviations; 4.5 on one
// side is one in 300,000. Sizes are such that a bias of one in a thousand shows.
import { describe, expect, test } from "vitest";
import { type Expr, input } from "../../kernels/expr.ts";
import * as random from "../../kernels/random.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { regions, watchOffset } from "../../src/rng/regions.ts";
import { permutation, randint } from "../../src/rng/samplers.ts";
import { scalarFunction } from "../support/expr.ts";
import { upperTail } from "../support/normal.ts";
import { correlationScore, frequencyScore, kolmogorovSmirnov, momentScore } from "../support/statistics.ts";

const size = 2 ** 20;
const limit = 4.5;

function words(seed: bigint, offset: number | bigint, count = size): Uint32Array {
  const out = new Uint32Array(count);
  fillWords(seed, offset, out);
  return out;
}

function sample(sampler: (word: Expr) => Expr, from: Uint32Array): Float32Array {
  const evaluate = scalarFunction(sampler(input(0, "uint32")));
  const out = new Float32Array(from.length);
  for (let i = 0; i < from.length; i++) out[i] = evaluate(from[i]);
  return out;
}

describe.each([
  [0n, 0],
  [1234n, 0],
  [1234n, watchOffset],
  [2n ** 64n - 1n, 10 ** 12],
])("seed %s from draw %i", (seed, offset) => {
  const drawn = words(seed, offset);

  test("each bit is set half the time, and each byte is even", () => {
    const bits = new Uint32Array(32);
    const bytes = [0, 8, 16, 24].map(() => new Uint32Array(256));
    for (const word of drawn) {
      for (let bit = 0; bit < 32; bit++) bits[bit] += (word >>> bit) & 1;
      for (let k = 0; k < 4; k++) bytes[k][(word >>> (8 * k)) & 255]++;
    }
    for (const count of bits) expect(Math.abs(count - size / 2) / Math.sqrt(size / 4)).toBeLessThan(limit);
    for (const counts of bytes) expect(Math.abs(frequencyScore(counts))).toBeLessThan(limit);
  });

  test("pairs and triples of neighbours fill their squares and cubes evenly", () => {
    const pairs = new Uint32Array(64 * 64);
    const triples = new Uint32Array(16 * 16 * 16);
    for (let i = 0; i + 2 < size; i += 3) {
      pairs[(drawn[i] >>> 26) * 64 + (drawn[i + 1] >>> 26)]++;
      triples[((drawn[i] >>> 28) * 16 + (drawn[i + 1] >>> 28)) * 16 + (drawn[i + 2] >>> 28)]++;
    }
    expect(Math.abs(frequencyScore(pairs))).toBeLessThan(limit);
    expect(Math.abs(frequencyScore(triples))).toBeLessThan(limit);
  });

  test("no correlation at lags 1 to 64, 1000 and 65536", () => {
    const unit = sample(random.uniform, drawn);
    for (const lag of [...Array.from({ length: 64 }, (_, i) => i + 1), 1000, 65536]) {
      expect(Math.abs(correlationScore(unit.subarray(0, size - lag), unit.subarray(lag)))).toBeLessThan(limit);
    }
  });

  test("no correlation with what the same stream gives much later", () => {
    for (const lag of [2 ** 20, 2 ** 32, 2 ** 40, ...regions.map(({ from }) => from).slice(1)]) {
      expect(Math.abs(correlationScore(drawn, words(seed, offset + lag)))).toBeLessThan(limit);
    }
  });

  test("uniform: moments, and the distribution by Kolmogorov and Smirnov", () => {
    const unit = sample(random.uniform, drawn);
    for (const k of [1, 2, 3, 4])
      expect(Math.abs(momentScore(unit, k, 1 / (k + 1), 1 / (2 * k + 1)))).toBeLessThan(limit);
    expect(kolmogorovSmirnov(unit, (x) => x)).toBeLessThan(1.95);
  });

  test("normal: moments, tails, and the distribution by Kolmogorov and Smirnov", () => {
    const z = sample(random.normal, drawn);
    const moments = [1, 0, 1, 0, 3, 0, 15, 0, 105];
    for (const k of [1, 2, 3, 4]) expect(Math.abs(momentScore(z, k, moments[k], moments[2 * k]))).toBeLessThan(limit);
    expect(kolmogorovSmirnov(z, (x) => 1 - upperTail(x))).toBeLessThan(1.95);
    for (const x of [1, 2, 3, 4]) {
      const share = upperTail(x);
      const deviation = Math.sqrt(size * share);
      expect(Math.abs(z.filter((value) => value > x).length - size * share) / deviation).toBeLessThan(limit);
      expect(Math.abs(z.filter((value) => value < -x).length - size * share) / deviation).toBeLessThan(limit);
    }
  });

  test("bernoulli: its share, and runs as long as chance has them", () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const keep = sample((word) => random.below(word, Math.round(p * 2 ** 32)), drawn);
      const count = keep.reduce((sum, x) => sum + x, 0);
      expect(Math.abs(count - size * p) / Math.sqrt(size * p * (1 - p))).toBeLessThan(limit);
      let changes = 0;
      for (let i = 1; i < size; i++) changes += keep[i] === keep[i - 1] ? 0 : 1;
      const share = 2 * p * (1 - p);
      // Changes of neighbours overlap: their variance is share·(1 − share) + 2·(p(1 − p) − share²) each.
      const variance = share * (1 - share) + 2 * (p * (1 - p) - share * share);
      expect(Math.abs(changes - size * share) / Math.sqrt(size * variance)).toBeLessThan(limit);
    }
  });

  test("randint: even over few values and over ranges near 2³²", () => {
    const out = new Int32Array(size / 4);
    for (const extent of [2, 3, 10, 1000]) {
      randint(seed, offset, -1, extent - 1, out);
      const counts = new Uint32Array(extent);
      for (const value of out) counts[value + 1]++;
      expect(Math.abs(frequencyScore(counts))).toBeLessThan(limit);
    }
    randint(seed, offset, -(2 ** 31), 2 ** 30, out);
    const counts = new Uint32Array(96);
    for (const value of out) counts[Math.floor((value + 2 ** 31) / 2 ** 25)]++;
    expect(Math.abs(frequencyScore(counts))).toBeLessThan(limit);
  });

  test("permutation: all 120 orders of five alike, and each place of fifty", () => {
    const orders = new Map<string, number>();
    for (let i = 0; i < 30_000; i++) {
      const order = permutation(seed, offset + 8 * i, 5).join("");
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(120);
    expect(Math.abs(frequencyScore([...orders.values()]))).toBeLessThan(limit);
    const places = new Uint32Array(50 * 50);
    for (let i = 0; i < 5000; i++)
      permutation(seed, offset + 98 * i, 50).forEach((value, place) => {
        places[value * 50 + place]++;
      });
    // Rows and columns each sum to 5000, so the table has 49² degrees of freedom of its 2499: the score is below what it would be.
    expect(Math.abs(frequencyScore(places))).toBeLessThan(limit);
  });
});

describe("seeds", () => {
  test("neighbouring seeds give unrelated streams", () => {
    for (const seed of [0n, 1n, 1234n, 2n ** 40n]) {
      expect(Math.abs(correlationScore(words(seed, 0), words(seed + 1n, 0)))).toBeLessThan(limit);
    }
  });

  test("seeds that differ in high bits only do not: the documented weakness is real", () => {
    expect(Math.abs(correlationScore(words(1234n, 0), words(1234n + 2n ** 56n, 0)))).toBeGreaterThan(10);
  });
});
