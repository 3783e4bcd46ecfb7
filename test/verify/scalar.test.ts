// The evaluators under which causes are tried: without a fault they are the meaning, and a fused multiply-add is the exact one.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as e from "../../kernels/expr.ts";
import { exp } from "../../kernels/math/exp.ts";
import { erf, gelu, log, sin, tanh } from "../../kernels/math/index.ts";
import { evaluator } from "../../src/backend/reference/expression.ts";
import { reducer } from "../../src/backend/reference/reduce.ts";
import { bitsOf, coordinatesOf, differences, showElement, ulpDistance } from "../../src/verify/bits.ts";
import { fma, scalarOf } from "../../src/verify/scalar.ts";
import { sumIn, writtenOrders } from "../../src/verify/sums.ts";

/** A float64 as mantissa·2^exponent, exact. */
function exact(x: number): { mantissa: bigint; exponent: number } {
  let exponent = 0;
  let value = x;
  while (!Number.isInteger(value)) {
    value *= 2;
    exponent--;
  }
  return { mantissa: BigInt(value), exponent };
}

/** a·b + c in integers, then rounded once to float32, ties to even. */
function exactFma(a: number, b: number, c: number): number {
  const [x, y, z] = [a, b, c].map(exact);
  const low = Math.min(x.exponent + y.exponent, z.exponent);
  const sum =
    ((x.mantissa * y.mantissa) << BigInt(x.exponent + y.exponent - low)) + (z.mantissa << BigInt(z.exponent - low));
  if (sum === 0n) return 0;
  const size = sum < 0n ? -sum : sum;
  // The last bit kept: 24 bits, or 2^−149.
  const drop = Math.max(size.toString(2).length - 24, -149 - low);
  let kept = size;
  if (drop > 0) {
    const unit = 1n << BigInt(drop);
    kept = size / unit;
    const rest = size % unit;
    if (2n * rest > unit || (2n * rest === unit && kept & 1n)) kept++;
  }
  let value = Number(kept);
  for (let i = 0; i < Math.abs(low + Math.max(0, drop)); i++) value *= low + Math.max(0, drop) > 0 ? 2 : 0.5;
  return Math.fround(sum < 0n ? -value : value);
}

const floats = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e15), max: Math.fround(1e15) });
/** Halves and neighbours: where two roundings go wrong. */
const close = fc
  .record({
    a: fc.integer({ min: 1 << 23, max: (1 << 24) - 1 }),
    b: fc.integer({ min: 1 << 23, max: (1 << 24) - 1 }),
    shift: fc.integer({ min: -30, max: 30 }),
    c: fc.constantFrom(1, -1, 0.5, -0.5, 2 ** -24, -(2 ** -24)),
  })
  .map(({ a, b, shift, c }) => [a, b, Math.fround(c * 2 ** shift)] as const);

describe("fma", () => {
  test("is exact to one rounding", () => {
    fc.assert(
      fc.property(floats, floats, floats, (a, b, c) => {
        expect(fma(a, b, c)).toBe(exactFma(a, b, c) || fma(a, b, c));
        expect(Math.abs(fma(a, b, c))).toBe(Math.abs(exactFma(a, b, c)));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(close, ([a, b, c]) => {
        expect(fma(a, b, c)).toBe(exactFma(a, b, c));
      }),
      { numRuns: 1000 },
    );
  });

  test("a case that two roundings get wrong", () => {
    // 1·(1 + 2^−23) + … lies just above a tie of float32 and exactly on one of float64.
    const [a, b, c] = [Math.fround(1 + 2 ** -12), Math.fround(1 + 2 ** -12), 2 ** -60];
    expect(fma(a, b, c)).toBe(exactFma(a, b, c));
    expect(fma(a, b, c)).not.toBe(Math.fround(a * b + c));
  });
});

describe("without a fault", () => {
  const x = e.input(0, "float32");
  test.each<[string, e.Expr]>([
    ["exp", exp(x)],
    ["log", log(x)],
    ["tanh", tanh(x)],
    ["erf", erf(x)],
    ["gelu", gelu(x)],
    ["sin", sin(x)],
    ["mixed", e.select(e.lt(x, e.mul(x, x)), e.toFloat32(e.toInt32(e.floor(x))), e.neg(e.sqrt(e.abs(x))))],
  ])("%s is the meaning", (_name, body) => {
    const values = Float32Array.from([
      0,
      -0,
      1,
      -1,
      0.3,
      -2.7,
      88,
      -104,
      1e-40,
      1e20,
      Infinity,
      -Infinity,
      Number.NaN,
      5e9,
    ]);
    const right = new Float32Array(values.length);
    evaluator(body, values.length)([values], right);
    const scalar = scalarOf(body);
    const found = Float32Array.from(values, (value) => scalar(() => value));
    expect(differences(right, found).at.map((i) => values[i])).toEqual([]);
  });

  test.each(["lanes", "chunks"] as const)("a sum in the order of %s is the meaning", (order) => {
    for (const length of [1, 15, 16, 17, 255, 257, 1024, 3000]) {
      const terms = Float32Array.from({ length }, (_, i) => Math.fround(((i * 7919) % 1013) / 1013 - 0.4));
      const out = new Float32Array(1);
      reducer("sum", [length], [0], "float32", order)(terms, out);
      expect(sumIn(writtenOrders[order], { length, left: (i) => terms[i] })).toBe(out[0]);
    }
  });
});

test("bits: what differs, how far, and how it is shown", () => {
  const a = Float32Array.of(1, -0, Number.NaN, 2);
  const b = Float32Array.of(1, 0, Number.NaN, Math.fround(2 + 2 ** -22));
  bitsOf(b)[2] = 0xffc00001;
  expect(differences(a, b)).toEqual({ at: [1, 3], count: 2 });
  expect(differences(a, b, { payload: true }).at).toEqual([1, 2, 3]);
  expect(differences(a, b, { most: 1 })).toEqual({ at: [1], count: 2 });
  expect(differences(a, b.subarray(0, 3)).at).toContain(3);
  expect([showElement(a, 1), showElement(b, 2), showElement(Int32Array.of(-3), 0)]).toEqual([
    "-0 (80000000)",
    "NaN (ffc00001)",
    "-3 (fffffffd)",
  ]);
  expect([ulpDistance(a[3], b[3]), ulpDistance(-0, 0), ulpDistance(-1, 1), ulpDistance(1, Number.NaN)]).toEqual([
    1,
    1,
    2130706433,
    undefined,
  ]);
  expect(coordinatesOf(17, [2, 3, 4])).toEqual([1, 1, 1]);
});
