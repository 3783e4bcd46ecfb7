// Gradients, and gradients of gradients, of prefixes, sorting and the reductions made of them: against differences, and at zeros, ties and NaN.
import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import * as cumulative from "../../src/ops/cumulative.ts";
import { tanh } from "../../src/ops/elementwise.ts";
import { recurrence } from "../../src/ops/prefix.ts";
import * as product from "../../src/ops/product.ts";
import * as reduce from "../../src/ops/reduce.ts";
import * as sorting from "../../src/ops/sort.ts";
import * as vectorNorm from "../../src/ops/vector-norm.ts";
import { checkGradients } from "../support/gradients.ts";

const shape = [3, 4] as const;

describe("by differences", () => {
  test("cumsum, cumprod, recurrence", () => {
    for (const axis of [0, 1]) {
      checkGradients([shape], (x) => tanh(cumulative.cumsum(x, axis)));
      checkGradients([shape], (x) => cumulative.cumprod(x, axis));
      checkGradients([shape, shape], (a, b) => recurrence(axis, a, b));
    }
  });

  test("cummax, cummin, logCumSumExp", () => {
    checkGradients([shape], (x) => tanh(cumulative.cummax(x, 0).values));
    checkGradients([shape], (x) => tanh(cumulative.cummin(x).values));
    checkGradients([shape], (x) => cumulative.logCumSumExp(x, 1), { tolerance: 5e-5 });
  });

  test("prod, std, norm, logSumExp", () => {
    for (const axis of [0, 1, [0, 1]]) checkGradients([shape], (x) => product.prod(x, { axis }));
    checkGradients([[2, 3, 2]], (x) => product.prod(x, { axis: [0, 2] }));
    checkGradients([shape], (x) => reduce.std(x, { axis: 1, correction: 1 }));
    for (const p of [1, 2, Infinity, -Infinity])
      checkGradients([shape], (x) => tanh(vectorNorm.norm(x, { axis: 0, p })));
    checkGradients([shape], (x) => reduce.logSumExp(x, { axis: 0 }), { tolerance: 5e-5 });
  });

  test("sort, topK, median, quantile", () => {
    checkGradients([shape], (x) => tanh(sorting.sort(x, { axis: 0, descending: true })));
    checkGradients([shape], (x) => tanh(sorting.topK(x, 2).values));
    checkGradients([shape], (x) => tanh(sorting.median(x, 1)));
    checkGradients([shape], (x) => tanh(sorting.quantile(x, [0.2, 0.5], 1)));
  });
});

describe("where differences say nothing", () => {
  const gradientOf = (values: readonly number[], f: (x: sg.Tensor) => sg.Tensor) =>
    sg
      .grad((x: sg.Tensor) => f(x).sum())(sg.tensor([...values]))
      .array();

  test("a product's gradient at zeros: of one, what the others give; of two, nothing", async () => {
    expect(await gradientOf([2, 0, 3, 4], (x) => x.prod())).toEqual([0, 24, 0, 0]);
    expect(await gradientOf([2, 0, 3, 0], (x) => x.prod())).toEqual([0, 0, 0, 0]);
    expect(await gradientOf([2, 0, 3], (x) => x.cumprod())).toEqual([1, 8, 0]);
  });

  test("ties go to the first, NaN to itself", async () => {
    expect(await gradientOf([1, 3, 3, 2], (x) => x.cummax().values)).toEqual([1, 3, 0, 0]);
    expect(await gradientOf([1, NaN, 3], (x) => x.cummax().values)).toEqual([1, 2, 0]);
    expect(await gradientOf([3, NaN, 1], (x) => x.median())).toEqual([0, 1, 0]);
    expect(await gradientOf([2, 2, 1], (x) => x.topK(1).values)).toEqual([1, 0, 0]);
  });

  test("a norm's and a deviation's at 0 is 0", async () => {
    expect(await gradientOf([0, 0], (x) => x.norm())).toEqual([0, 0]);
    expect(await gradientOf([1, NaN], (x) => x.norm())).toEqual([NaN, NaN]);
    for (const p of [3, 0.5, -1]) expect(await gradientOf([1, NaN], (x) => x.norm({ p }))).toEqual([NaN, NaN]);
    expect(await gradientOf([5, 5], (x) => x.std())).toEqual([0, 0]);
  });

  test("logSumExp and logCumSumExp beside infinities", async () => {
    expect(await sg.tensor([-Infinity, -Infinity]).logSumExp().item()).toBe(-Infinity);
    expect(await sg.tensor([1, Infinity]).logSumExp().item()).toBe(Infinity);
    expect(await sg.tensor([-Infinity, 1000, -Infinity]).logCumSumExp().array()).toEqual([-Infinity, 1000, 1000]);
    expect(await sg.tensor([1, Infinity, 2]).logCumSumExp().array()).toEqual([1, Infinity, Infinity]);
    expect(await gradientOf([-Infinity, 2, 2], (x) => x.logSumExp())).toEqual([0, 0.5, 0.5]);
  });
});
