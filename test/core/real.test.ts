// The project's own float64 functions for schedules: close to the host's (which differ among hosts by an ulp or two), and with pinned bits.
import { describe, expect, test } from "vitest";
import { cos, exp, integerPower, log, power, sin } from "../../src/core/real.ts";

const points = (from: number, to: number, count = 2001) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

describe("against the host, relative error ≤ 4·10⁻¹⁵", () => {
  test.each([
    ["exp", exp, Math.exp, -700, 700],
    ["log", log, Math.log, 1e-300, 1e300],
    ["log near 1", log, Math.log, 0.5, 2],
  ] as const)("%s", (_, ours, theirs, from, to) => {
    for (const x of points(from, to))
      expect(Math.abs(ours(x) - theirs(x)), String(x)).toBeLessThanOrEqual(4e-15 * Math.abs(theirs(x)) + 2e-16);
  });

  test("cos, absolute", () => {
    for (const x of [...points(-10, 10), ...points(-1e5, 1e5)])
      expect(Math.abs(cos(x) - Math.cos(x)), String(x)).toBeLessThanOrEqual(1e-15);
  });

  test("sin, absolute", () => {
    for (const x of [...points(-10, 10), ...points(-1e5, 1e5)])
      expect(Math.abs(sin(x) - Math.sin(x)), String(x)).toBeLessThanOrEqual(1e-15);
  });

  test("power", () => {
    for (const x of points(0.01, 20, 101))
      for (const y of [-2.5, -1, 0, 0.5, 3, 7.25]) expect(power(x, y) / x ** y).toBeCloseTo(1, 13);
  });
});

describe("edges", () => {
  test("exact values", () => {
    expect([exp(0), log(1), cos(0), exp(-Infinity), exp(Infinity), log(0), log(Infinity)]).toEqual([
      1,
      0,
      1,
      0,
      Infinity,
      -Infinity,
      Infinity,
    ]);
    expect([log(-1), exp(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
    expect(cos(Math.PI)).toBe(-1);
    expect(Math.abs(cos(Math.PI / 2))).toBeLessThan(1e-16);
    expect([integerPower(2, 10), integerPower(2, -1), integerPower(5, 0), power(9, 2)]).toEqual([1024, 0.5, 1, 81]);
  });

  test("the binary method's own rounding: 0.999ⁿ", () => {
    let by = 1;
    for (let i = 0; i < 4; i++) by *= 0.999;
    expect(integerPower(0.999, 4)).toBe(0.999 * 0.999 * (0.999 * 0.999));
    expect(integerPower(0.999, 4)).toBeCloseTo(by, 15);
  });
});
