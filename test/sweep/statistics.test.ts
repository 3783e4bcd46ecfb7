// Order statistics over seeds, by hand and against NumPy's own (numpy.quantile, method "linear").
import { describe, expect, test } from "vitest";
import { spreadOf, trimmedMean } from "../../src/sweep/statistics.ts";

describe("quartiles", () => {
  test.each<[number[], [number, number, number, number, number]]>([
    [[7], [7, 7, 7, 7, 7]],
    [
      [3, 1],
      [1, 1.5, 2, 2.5, 3],
    ],
    // Position (4 − 1) · ¼ = 0.75: 1 + 0.75 · (2 − 1).
    [
      [10, 2, 1, 4],
      [1, 1.75, 3, 5.5, 10],
    ],
    [
      [5, 1, 4, 2, 3],
      [1, 2, 3, 4, 5],
    ],
    [
      [-0.5, 0.25, 8, 0.125, -3, 2],
      [-3, -0.34375, 0.1875, 1.5625, 8],
    ],
  ])("of %j", (values, [least, lowerQuartile, median, upperQuartile, greatest]) => {
    expect(spreadOf(values)).toEqual({
      count: values.length,
      ...{ least, lowerQuartile, median, upperQuartile, greatest },
    });
  });

  test("of steps to a target that some runs didn't reach: infinite from there on, never NaN", () => {
    const none = Number.POSITIVE_INFINITY;
    expect(spreadOf([300, none, 100])).toEqual({
      count: 3,
      ...{ least: 100, lowerQuartile: 200, median: 300, upperQuartile: none, greatest: none },
    });
    expect(spreadOf([none, none])).toMatchObject({ least: none, lowerQuartile: none, median: none });
    expect(spreadOf([])).toBeUndefined();
  });

  test("the values stay as they were given", () => {
    const values = [3, 1, 2];
    spreadOf(values);
    trimmedMean(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

test("the mean without the least and the greatest, as MLPerf's results are computed", () => {
  expect(trimmedMean([400, 100, 200, 300, 900])).toBe(300);
  expect(trimmedMean([400, 100, 200, 300, Number.POSITIVE_INFINITY])).toBe(300);
  expect(trimmedMean([100, 200, 900])).toBe(200);
  expect(trimmedMean([100, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])).toBeUndefined();
  expect(trimmedMean([100, 200])).toBeUndefined();
});
