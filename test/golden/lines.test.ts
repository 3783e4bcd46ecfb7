// Reductions, cumulative ops and sorting against lines.json (made by make_lines.py): values and gradients of PyTorch, |ours − theirs| ≤ 10⁻⁶ + 10⁻⁵·|theirs|.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import type { Tensor } from "../../src/index.ts";
import { wave } from "../support/torch.ts";

const golden: Record<string, { value: number[]; gradient?: number[] }> = JSON.parse(
  readFileSync(new URL("lines.json", import.meta.url), "utf8"),
).cases;

const x = wave([5, 7], 4, 3);
const places = [
  [1, 2],
  [1, 5],
  [3, 0],
];
const isZero = sg.tensor(
  Array.from({ length: 5 }, (_, i) => Array.from({ length: 7 }, (_, j) => places.some(([a, b]) => a === i && b === j))),
);
const zeros = sg.where(isZero, 0, x);
const noRow = x.mul(sg.tensor([[1], [1], [1], [0], [1]]));
/** 2x to the nearest integer; none is half way between two. */
const ties = x.mul(2).add(0.5).floor();
const integers = ties.abs().cast("int32");

const cases: Record<string, [Tensor, (x: Tensor) => Tensor]> = {
  cumsum: [x, (x) => x.cumsum(0)],
  cumprod: [x, (x) => x.cumprod()],
  "cumprod zeros": [zeros, (x) => x.cumprod(1)],
  cummax: [x, (x) => x.cummax(1).values],
  "cummax indices": [x, (x) => x.cummax(1).indices],
  cummin: [x, (x) => x.cummin(0).values],
  "cummin indices": [x, (x) => x.cummin(0).indices],
  logCumSumExp: [x, (x) => x.mul(20).logCumSumExp(1)],
  prod: [x, (x) => x.prod(1)],
  "prod all": [x, (x) => x.prod()],
  "prod zeros": [zeros, (x) => x.prod(1)],
  std: [x, (x) => x.std({ axis: 1, correction: 1 })],
  variance: [x, (x) => x.variance({ axis: 0, correction: 1 })],
  "variance 0": [x, (x) => x.variance()],
  norm: [x, (x) => x.norm({ axis: 1 })],
  "norm 1": [x, (x) => x.norm({ axis: 0, p: 1 })],
  "norm max": [x, (x) => x.norm({ axis: 1, p: Infinity })],
  "norm min": [x, (x) => x.norm({ axis: 1, p: -Infinity })],
  "norm 0": [zeros, (x) => x.norm({ axis: 1, p: 0 })],
  "norm 3": [noRow, (x) => x.norm({ axis: 1, p: 3 })],
  "norm 0.5": [zeros, (x) => x.norm({ axis: 0, p: 0.5 })],
  "norm -1.5": [zeros, (x) => x.norm({ axis: 1, p: -1.5 })],
  logSumExp: [x, (x) => x.mul(30).logSumExp(1)],
  any: [zeros, (x) => x.any(1)],
  all: [zeros, (x) => x.all(1)],
  sort: [x, (x) => x.sort(1)],
  "sort descending": [ties, (x) => x.sort({ axis: 0, descending: true })],
  "argsort ties": [ties, (x) => x.argsort()],
  "argsort descending ties": [ties, (x) => x.argsort({ descending: true })],
  topK: [x, (x) => x.topK(3).values],
  "topK indices": [x, (x) => x.topK(3).indices],
  "topK smallest": [x, (x) => x.topK(2, { axis: 0, largest: false }).values],
  median: [x, (x) => x.median(1)],
  "median even": [x, (x) => x.slice([[0, 4]]).median(0)],
  "median all": [x, (x) => x.median()],
  quantile: [x, (x) => x.quantile(0.3, 1)],
  "quantile several": [x, (x) => x.quantile([0, 0.25, 0.9, 1], 0)],
  ...Object.fromEntries(
    (["lower", "higher", "nearest", "midpoint"] as const).map((interpolation) => [
      `quantile ${interpolation}`,
      [x, (x: Tensor) => x.quantile([0.2, 0.375, 0.625, 0.9], { axis: 0, interpolation })],
    ]),
  ),
  searchSorted: [ties, (x) => sg.searchSorted(ties.slice([0]).sort(), x)],
  "searchSorted right": [ties, (x) => sg.searchSorted(ties.sort(), x, { right: true })],
  bincount: [integers, (x) => x.bincount(9)],
  "bincount weights": [x, (x) => integers.bincount(9, x)],
  histogram: [x, (x) => x.histogram({ bins: 8, range: [-1.5, 1.75] }).counts],
  "histogram of all": [x, (x) => x.histogram({ bins: 5 }).counts],
  "histogram by edges": [x, (x) => x.histogram({ bins: [-1.5, -0.25, 0.5, 2] }).counts],
  "histogram edges": [x, (x) => x.histogram({ bins: 5 }).edges],
};

describe("as PyTorch", () => {
  test("every golden has its case", () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(golden).sort());
  });

  const close = (ours: ArrayLike<number>, theirs: readonly number[]) => {
    expect(ours.length).toBe(theirs.length);
    Array.from(ours).forEach((element, i) => {
      const bound = 1e-6 + 1e-5 * Math.abs(theirs[i]);
      expect(Math.abs(element - theirs[i]), `element ${i}: ${element}, theirs ${theirs[i]}`).toBeLessThanOrEqual(bound);
    });
  };

  test.each(Object.keys(cases))("%s", async (name) => {
    const [input, build] = cases[name];
    const { value, gradient } = golden[name];
    const output = build(input);
    close(await output.data(), value);
    if (!gradient) return;
    const weighted = output.mul(wave(output.shape, 2, 31)).sum();
    const [ours] = sg.gradients(weighted, [input]);
    close(await ours.data(), gradient);
  });
});
