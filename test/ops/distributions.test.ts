// Distributions and choices: how many draws they take, that they are what they are called (fixed seeds, so that a score is a number and no chance), and what is refused.
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import * as sg from "../../src/index.ts";
import { type Tensor, tensor } from "../../src/index.ts";
import { fillWords } from "../../src/rng/draws.ts";
import { Stream, withStream } from "../../src/rng/stream.ts";
import { categoricalThresholds } from "../../src/rng/thresholds.ts";
import { upperTail } from "../support/normal.ts";
import { chiSquaredScore, frequencyScore, kolmogorovSmirnov } from "../support/statistics.ts";

const N = 20_000;
const drawn = (make: () => Tensor, seed = 1234) => withStream(new Stream(seed), make);
const floats = async (make: () => Tensor) => (await drawn(make).data()) as Float32Array;
/** χ² score of counts against probabilities, those of fewer than 5 expected put together. */
function countScore(values: ArrayLike<number>, probability: (k: number) => number): number {
  const counts = new Map<number, number>();
  for (const value of Array.from(values)) counts.set(value, (counts.get(value) ?? 0) + 1);
  const cells: [number, number][] = [[0, values.length]];
  for (let k = 0; k <= Math.max(...counts.keys()) + 1; k++) {
    const [seen, expected] = [counts.get(k) ?? 0, values.length * probability(k)];
    if (expected < 5) continue;
    cells.push([seen, expected]);
    cells[0] = [cells[0][0] + seen, cells[0][1] - expected];
  }
  cells[0][0] = values.length - cells[0][0];
  const used = cells.filter(([, expected]) => expected >= 5);
  return chiSquaredScore(
    used.reduce((sum, [seen, expected]) => sum + (seen - expected) ** 2 / expected, 0),
    used.length - 1,
  );
}

describe("draws", () => {
  const logits = sg.zeros([2, 3]);
  test.each<[string, () => Tensor, number, readonly number[]]>([
    ["exponential", () => sg.exponential([3, 4]), 12, [3, 4]],
    ["gumbel", () => sg.gumbel([5]), 5, [5]],
    ["laplace", () => sg.laplace([]), 1, []],
    ["cauchy", () => sg.cauchy([0, 3]), 0, [0, 3]],
    ["logNormal", () => sg.logNormal([7]), 7, [7]],
    ["truncatedNormal", () => sg.truncatedNormal([7], 1, 2, { low: 0 }), 7, [7]],
    ["gamma", () => sg.gamma([2, 5], 0.5), 170, [2, 5]],
    ["gamma of a tensor", () => sg.gamma([2, 5], sg.ones([5])), 170, [2, 5]],
    ["beta", () => sg.beta([10], 2, 3), 340, [10]],
    ["dirichlet", () => sg.dirichlet([2], sg.ones([5])), 170, [2, 5]],
    ["poisson", () => sg.poisson([9], 3), 9, [9]],
    ["categorical", () => sg.categorical(logits), 6, [2]],
    ["categorical of 4", () => sg.categorical(logits, 4), 24, [2, 4]],
    ["choice", () => sg.choice(10, 4), 8, [4]],
    ["choice by weight", () => sg.choice(3, 4, { weights: [1, 2, 3] }), 4, [4]],
    ["choice without replacement", () => sg.choice(10, 4, { replace: false }), 18, [4]],
    ["choice without replacement, by weight", () => sg.choice(3, 2, { replace: false, weights: [1, 2, 3] }), 3, [2]],
    ["choice of rows", () => sg.choice(sg.ones([10, 2]), 4), 8, [4, 2]],
    ["shuffle", () => sg.shuffle(sg.ones([2, 6]), 1), 10, [2, 6]],
  ])("%s takes them by its shape alone, when it is made", (_, make, draws, shape) => {
    const stream = new Stream(1234, 100);
    expect(withStream(stream, make).shape).toEqual(shape);
    expect(stream.position).toBe(100 + draws);
  });
});

describe("distribution functions, by Kolmogorov and Smirnov", () => {
  const phi = (x: number) => 1 - upperTail(x);
  const [low, high] = [-0.5, 3];
  test.each<[string, () => Tensor, (x: number) => number]>([
    ["exponential", () => sg.exponential([N], 2), (x) => 1 - Math.exp(-2 * x)],
    ["gumbel", () => sg.gumbel([N], 1, 2), (x) => Math.exp(-Math.exp(-(x - 1) / 2))],
    [
      "laplace",
      () => sg.laplace([N], 1, 2),
      (x) => (x < 1 ? Math.exp((x - 1) / 2) / 2 : 1 - Math.exp((1 - x) / 2) / 2),
    ],
    ["cauchy", () => sg.cauchy([N], 1, 2), (x) => 0.5 + Math.atan((x - 1) / 2) / Math.PI],
    ["logNormal", () => sg.logNormal([N], 0.5, 0.3), (x) => phi((Math.log(x) - 0.5) / 0.3)],
    ["truncatedNormal", () => sg.truncatedNormal([N]), (x) => (phi(x) - phi(-2)) / (phi(2) - phi(-2))],
    [
      "truncatedNormal of bounds",
      () => sg.truncatedNormal([N], 1, 2, { low, high }),
      (x) => (phi((x - 1) / 2) - phi((low - 1) / 2)) / (phi((high - 1) / 2) - phi((low - 1) / 2)),
    ],
    ["gamma of 1", () => sg.gamma([N], 1, 3), (x) => 1 - Math.exp(-3 * x)],
    ["gamma of 3", () => sg.gamma([N], tensor(3)), (x) => 1 - Math.exp(-x) * (1 + x + (x * x) / 2)],
    ["gamma of ½", () => sg.gamma([N], 0.5), (x) => 1 - 2 * upperTail(Math.sqrt(2 * x))],
    ["beta of 2 and 3", () => sg.beta([N], 2, 3), (x) => x * x * (6 + x * (3 * x - 8))],
    ["beta of ½ and ½", () => sg.beta([N], 0.5, tensor(0.5)), (x) => (2 / Math.PI) * Math.asin(Math.sqrt(x))],
    [
      "dirichlet's first",
      () => sg.dirichlet([N], tensor([2, 1, 2])).slice([null, 0]),
      (x) => x * x * (6 + x * (3 * x - 8)),
    ],
  ])("%s", async (_, make, distribution) => {
    const values = await floats(make);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(kolmogorovSmirnov(values, distribution)).toBeLessThan(1.95);
  });

  test("bounds hold, and both ends of a standard variate are reached finely", async () => {
    const values = await floats(() => sg.truncatedNormal([N], 1, 2, { low, high }));
    expect(values.every((x) => x >= low && x <= high)).toBe(true);
    const e = await floats(() => sg.exponential([200_000]));
    expect(e.reduce((least, x) => Math.min(least, x))).toBeLessThan(2e-5);
    expect(new Set(e.filter((x) => x < 1e-3)).size).toBe(e.filter((x) => x < 1e-3).length);
    const sums = await floats(() => sg.dirichlet([100], tensor([0.01, 0.1, 5])).sum({ axis: 1 }));
    expect(sums.every((sum) => Math.abs(sum - 1) < 1e-6)).toBe(true);
  });

  test("values are those of their words, computed in float64", async () => {
    const words = new Uint32Array(4000);
    fillWords(1234n, 0, words);
    const cases: [Float32Array, (u: number) => number][] = [
      [await floats(() => sg.exponential([4000])), (u) => -Math.log1p(-(2 * (2 ** 32 - 1 - u) + 1) / 2 ** 33)],
      [
        await floats(() => sg.laplace([4000])),
        (u) => (u < 2 ** 31 ? -1 : 1) * Math.log((2 * (u % 2 ** 31) + 1) / 2 ** 32),
      ],
      [
        await floats(() => sg.cauchy([4000])),
        (u) => (u < 2 ** 31 ? 1 : -1) / Math.tan((Math.PI * (2 * (u % 2 ** 31) + 1)) / 2 ** 33),
      ],
    ];
    for (const [values, exact] of cases)
      values.forEach((value, i) => {
        expect(Math.abs(value / exact(words[i]) - 1)).toBeLessThan(1e-6);
      });
  });
});

describe("counts and choices, by χ²", () => {
  test.each([0.3, 4, 60, 500])("poisson of %d", async (rate) => {
    const logs = [-rate];
    for (let k = 1; k < 1000; k++) logs.push(logs[k - 1] + Math.log(rate / k));
    const values = await drawn(() => sg.poisson([N], rate)).data();
    expect(Math.abs(countScore(values, (k) => Math.exp(logs[k])))).toBeLessThan(4);
  });

  test("poisson of 0 is 0", async () => {
    expect(await drawn(() => sg.poisson([3], 0)).array()).toEqual([0, 0, 0]);
  });

  test("categorical draws softmax(logits), never a logit of −∞", async () => {
    const shares = [0.5, 0, 0.25, 0.125, 0.125];
    const logits = tensor([shares.map(Math.log), [0, -Infinity, -Infinity, -Infinity, -Infinity]]);
    const values = await drawn(() => sg.categorical(logits, N)).data();
    const counts = shares.map((_, k) => values.slice(0, N).filter((value) => value === k).length);
    expect(counts[1]).toBe(0);
    const rest = [0, 2, 3, 4];
    expect(
      Math.abs(
        frequencyScore(
          rest.map((k) => counts[k]),
          rest.map((k) => shares[k]),
        ),
      ),
    ).toBeLessThan(4);
    expect(values.slice(N).every((value) => value === 0)).toBe(true);
  });

  test("choice by weight: the first place whose threshold is above the word", async () => {
    const weights = [1, 0, 2.5, 0.5, 4];
    const words = new Uint32Array(500);
    fillWords(1234n, 0, words);
    const thresholds = categoricalThresholds(weights);
    const values = await drawn(() => sg.choice(5, 500, { weights })).data();
    expect([...values]).toEqual([...words].map((word) => thresholds.findIndex((threshold) => word < threshold)));
    expect(await drawn(() => sg.choice(1, 3, { weights: [2] })).array()).toEqual([0, 0, 0]);
  });

  test("choice without replacement: each once at most; by weight, as if drawn one after another", async () => {
    const some = await drawn(() => sg.choice(10, 10, { replace: false })).data();
    expect([...some].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const weights = [5, 3, 0, 2];
    const draw = sg.compile(() => sg.choice(4, 2, { replace: false, weights }), { stream: new Stream(7) });
    const counts = new Map<string, number>();
    for (let time = 0; time < 2000; time++) {
      const order = (await (await draw()).data()).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const orders = ["01", "03", "10", "13", "30", "31"];
    const share = ([a, b]: string) => ((weights[+a] / 10) * weights[+b]) / (10 - weights[+a]);
    expect([...counts.keys()].sort()).toEqual(orders);
    expect(
      Math.abs(
        frequencyScore(
          orders.map((key) => counts.get(key)!),
          orders.map(share),
        ),
      ),
    ).toBeLessThan(4);
  });

  test("choice of rows, and shuffle along an axis: rows and columns stay whole", async () => {
    const table = tensor([
      [0, 1, 2],
      [10, 11, 12],
    ]);
    const rows = (await drawn(() => sg.choice(table, 5)).array()) as number[][];
    for (const row of rows)
      expect([
        [0, 1, 2],
        [10, 11, 12],
      ]).toContainEqual(row);
    const [first, second] = (await drawn(() => sg.shuffle(table, 1)).array()) as number[][];
    expect(second).toEqual(first.map((x) => x + 10));
    expect([...first].sort()).toEqual([0, 1, 2]);
    expect(first).not.toEqual([0, 1, 2]);
  });
});

describe("bad input", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["a rate of 0", () => sg.exponential([2], 0), /exponential: .*got 0, expected a rate > 0/],
    ["a negative scale", () => sg.gumbel([2], 0, -1), /a scale > 0/],
    ["bounds in the wrong order", () => sg.truncatedNormal([2], 0, 1, { low: 1, high: -1 }), /low < high/],
    ["bounds far out", () => sg.truncatedNormal([2], 0, 1, { low: 5, high: 6 }), /low ≤ mean \+ 4·deviation/],
    ["a concentration of 0", () => sg.gamma([2], 0), /gamma: .*a concentration > 0/],
    ["concentrations of two axes", () => sg.dirichlet([2], sg.ones([2, 2])), /concentrations \[k\]/],
    ["a concentration that doesn't fit", () => sg.beta([2], sg.ones([3]), 1), /\[3\]/],
    ["a large rate", () => sg.poisson([2], 501), /\[0, 500\]\nHint: a normal is near/],
    ["no rate", () => sg.poisson([2], -1), /\[0, 500\]$/],
    ["no classes", () => sg.categorical(tensor(1)), /\[\.\.\., classes\]/],
    ["nothing to choose from", () => sg.choice(0, 2), /an integer in \[1, 2\^31\]/],
    ["weights for others", () => sg.choice(3, 2, { weights: [1, 2] }), /got 2 weights, expected 3/],
    ["weights of 0", () => sg.choice(2, 2, { weights: [0, 0] }), /without a finite positive sum/],
    ["more than there are", () => sg.choice(3, 4, { replace: false }), /at most 3/],
    ["more than can come", () => sg.choice(3, 3, { replace: false, weights: [1, 0, 1] }), /at most 2/],
    ["weights below 0", () => sg.choice(2, 1, { replace: false, weights: [2, -1] }), /weight/],
    ["a scalar's rows", () => sg.choice(tensor(1), 2), /a scalar has no rows/],
    ["a scalar's order", () => sg.shuffle(tensor(1)), /shuffle/],
  ])("%s", (_, make, message) => {
    expect(() => drawn(make as () => Tensor)).toThrow(ShapeError);
    expect(() => drawn(make as () => Tensor)).toThrow(message);
  });
});
