// Rounding to 16-bit floats against integers: at every number of the format, halfway to the next, and one float32 to each side of both. All 2³²
// inputs: npm run test:rounding.
import { describe, expect, test } from "vitest";
import { input } from "../../kernels/expr.ts";
import { roundInSteps } from "../../src/backend/gpujs/rounding.ts";
import { narrowed } from "../../src/backend/narrow.ts";
import { float32Bits, float32FromBits } from "../../src/core/canonical.ts";
import { narrowFormats } from "../../src/core/dtype.ts";
import { DTypeError } from "../../src/core/errors.ts";
import { autocast } from "../../src/ops/autocast.ts";
import { full } from "../../src/ops/define.ts";
import { roundTo as roundNode } from "../../src/ops/precision.ts";
import { compile } from "../../src/program/compiled.ts";
import { gradients } from "../../src/program/gradients.ts";
import { matmul, tensor } from "../../src/tensor/functions.ts";
import { scalarFunction } from "../support/expr.ts";
import { narrowing } from "../support/narrow.ts";

/** The bits of the format's numbers ≥ 0 as float32s. */
function gridOf(format: (typeof narrowFormats)[number]): number[] {
  if (format === "bfloat16") return Array.from({ length: 0x7f80 }, (_, i) => i * 2 ** 16);
  const values = Array.from({ length: 0x7c00 }, (_, i) => {
    const [exponent, fraction] = [i >> 10, i & 1023];
    return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  });
  return values.map(float32Bits);
}

describe.each(narrowFormats)("%s", (format) => {
  const round = scalarFunction(roundInSteps(input(0, "float32"), format));
  const same = (bits: number) => {
    const x = float32FromBits(bits);
    const expected = float32Bits(narrowing[format](x));
    for (const got of [float32Bits(round(x)), float32Bits(narrowed[format](x))])
      if (got !== expected)
        expect.fail(`${x} (0x${bits.toString(16)}): 0x${got.toString(16)}, expected 0x${expected.toString(16)}`);
  };

  test("at the grid, halfway, and beside both, of either sign", () => {
    const grid = gridOf(format);
    for (const [i, bits] of grid.entries()) {
      expect(round(float32FromBits(bits))).toBe(float32FromBits(bits));
      const next = grid[i + 1] ?? (format === "bfloat16" ? 0x7f800000 : float32Bits(65536));
      const middle = Math.floor((bits + next) / 2);
      for (const near of [bits - 1, bits, bits + 1, middle - 1, middle, middle + 1])
        for (const sign of [0, 2 ** 31]) if (near >= 0) same(near + sign);
    }
  });

  test("every exponent, infinities, NaN, and floats at random", () => {
    for (let exponent = 0; exponent < 256; exponent++)
      for (const fraction of [0, 1, 0x3fffff, 0x400000, 0x7fffff]) same(exponent * 2 ** 23 + fraction);
    let state = 12345;
    for (let i = 0; i < 100_000; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      same(state);
    }
  });
});

describe("roundTo", () => {
  test("as a tensor's method; the gradient passes through, rounded likewise", async () => {
    const x = tensor([1 / 3, -1e-9, 70000]);
    expect([...(await x.roundTo("float16").data())]).toEqual([0.333251953125, -0, Number.POSITIVE_INFINITY]);
    expect([...(await x.roundTo("bfloat16").data())]).toEqual(
      [1 / 3, -1e-9, 70000].map((v) => narrowing.bfloat16(Math.fround(v))),
    );
    const run = compile(
      (v: typeof x) =>
        gradients(
          v
            .roundTo("float16")
            .mul(tensor([1 / 3, 2, 1e5]))
            .sum(),
          [v],
        )[0],
    );
    expect([...(await (await run(x)).data())]).toEqual([0.333251953125, 2, Number.POSITIVE_INFINITY]);
  });

  test("another format, another dtype", () => {
    expect(() => roundNode(full([2], 1), "float8" as never)).toThrow(
      /no such format: got float8, expected bfloat16 or float16/,
    );
    expect(() => roundNode(full([2], 1, "int32"), "float16")).toThrow(DTypeError);
  });
});

describe("autocast", () => {
  const third = 1 / 3;
  test("a product of rounded operands, summed in float32, rounded", async () => {
    const a = tensor([[third, 1]]);
    const b = tensor([[third], [2 ** -12]]);
    const r = narrowing.float16(Math.fround(third));
    const expected = narrowing.float16(Math.fround(Math.fround(r * r) + 2 ** -12));
    expect(await autocast("float16", () => matmul(a, b)).item()).toBe(expected);
    expect(await matmul(a, b).item()).not.toBe(expected);
    expect(await autocast("float16", () => autocast(null, () => matmul(a, b))).item()).toBe(await matmul(a, b).item());
  });

  test("gradients of a product are products of rounded things, rounded", async () => {
    const run = compile((a: ReturnType<typeof tensor>, b: ReturnType<typeof tensor>) =>
      gradients(
        autocast("bfloat16", () => matmul(a, b))
          .mul(tensor(third))
          .sum(),
        [a, b],
      ),
    );
    const [da, db] = await run(tensor([[1.01, 2.02]]), tensor([[3.03], [4.04]]));
    const g = narrowing.bfloat16(Math.fround(third));
    const product = (x: number) => narrowing.bfloat16(Math.fround(g * narrowing.bfloat16(Math.fround(x))));
    expect([...(await da.data())]).toEqual([product(3.03), product(4.04)]);
    expect([...(await db.data())]).toEqual([product(1.01), product(2.02)]);
  });

  test("is over when its body is, and when that throws", async () => {
    expect(() =>
      autocast("float16", () => {
        throw new RangeError("no");
      }),
    ).toThrow(RangeError);
    expect(await matmul(tensor([third]), tensor([1])).item()).toBe(Math.fround(third));
  });
});
