// What elementwise functions mean at their edges: signs of zero, ties, NaN and infinities, division of integers, shifts; and what they refuse.
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError, DTypeError, gradients, nn, ops, ShapeError, setDefaultBackend, tensor } from "../../src/index.ts";

beforeAll(() => setDefaultBackend("reference"));
const inf = Infinity;
const f = (...values: number[]) => tensor(values);
const i = (...values: number[]) => tensor(values, "int32");
const word = (...values: number[]) => tensor(Uint32Array.from(values));

const table: Record<string, readonly [() => { array(): Promise<unknown> }, unknown]> = {
  "ceil keeps −0": [() => f(-0.5, -0, 0, 0.5, -inf, NaN).ceil(), [-0, -0, 0, 1, -inf, NaN]],
  "trunc is towards zero": [
    () => f(-1.5, -0.5, 1.5, -0, 3e38, -inf, NaN).trunc(),
    [-1, -0, 1, -0, Math.fround(3e38), -inf, NaN],
  ],
  "round is to even": [
    () => f(0.5, 1.5, 2.5, -0.5, -1.5, -0, 8388607.5, 4194302.5, 16777217, inf, NaN).round(),
    [0, 2, 2, -0, -2, -0, 8388608, 4194302, 16777216, inf, NaN],
  ],
  "rsqrt at its ends": [
    () => f(0, -0, inf, -1, 4, 2 ** -149).rsqrt(),
    [inf, -inf, 0, NaN, 0.5, Math.fround(2 ** 74.5)],
  ],
  "floorDivide of integers": [
    () => i(7, -7, 7, -7, 5, -5, 0, -(2 ** 31), 2 ** 31 - 1).floorDivide(i(2, 2, -2, -2, 0, 0, 0, -1, -(2 ** 31))),
    [3, -4, -4, 3, 0, 0, 0, -(2 ** 31), -1],
  ],
  "remainder of integers": [
    () => i(7, -7, 7, -7, 5, -5, -(2 ** 31), 2 ** 31 - 1).remainder(i(2, 2, -2, -2, 0, 0, -1, -(2 ** 31))),
    [1, 1, -1, -1, 5, -5, 0, -1],
  ],
  "remainder of floats": [
    () => f(5.5, -5.5, 5.5, -5.5, 1, 0).remainder(f(2, 2, -2, -2, 0, 3)),
    [1.5, 0.5, -0.5, -1.5, NaN, 0],
  ],
  "shifts count mod 32": [() => i(1, 1, 1, -1).shiftLeft(i(31, 32, -1, 4)), [-(2 ** 31), 1, -(2 ** 31), -16]],
  "int32 shifted right keeps its sign": [() => i(-8, 8, -1).shiftRight(i(1, 33, 31)), [-4, 4, -1]],
  "a word shifted right is filled with zeros": [() => word(2 ** 32 - 8, 1).shiftRight(word(1, 0)), [2 ** 31 - 4, 1]],
  "bits of words": [() => word(0xf0f0f0f0).bitXor(word(0xffffffff)).bitOr(word(1)).bitAnd(word(0xff)), [0x0f]],
  "arithmetic of uint32 wraps": [
    () =>
      word(2 ** 32 - 1, 65537, 5)
        .mul(word(2 ** 32 - 1, 65537, 2))
        .add(word(2 ** 32 - 1, 0, 1))
        .sub(word(1, 0, 12)),
    [2 ** 32 - 1, 131073, 2 ** 32 - 1],
  ],
  "floorDivide of uint32": [
    () => word(2 ** 32 - 1, 2 ** 32 - 1, 7, 2 ** 31, 9).floorDivide(word(2, 1, 0, 2 ** 32 - 1, 10)),
    [2 ** 31 - 1, 2 ** 32 - 1, 0, 0, 0],
  ],
  "remainder of uint32": [
    () => word(2 ** 32 - 1, 2 ** 32 - 1, 7, 2 ** 31, 9).remainder(word(10, 2 ** 31, 0, 2 ** 32 - 1, 10)),
    [5, 2 ** 31 - 1, 7, 2 ** 31, 9],
  ],
  "comparisons of uint32": [
    () =>
      word(2 ** 31, 1, 2 ** 32 - 1)
        .less(2 ** 31 + 1)
        .logicalAnd(word(1, 2 ** 31, 7).lessEqual(word(2 ** 31, 0, 6))),
    [true, false, false],
  ],
  "uint32 as floats, to nearest even": [
    () => word(2 ** 32 - 1, 2 ** 24 + 1, 2 ** 24 + 3, 2 ** 31 + 128, 2 ** 31 + 384, 0).cast("float32"),
    [2 ** 32, 2 ** 24, 2 ** 24 + 4, 2 ** 31, 2 ** 31 + 512, 0],
  ],
  "uint32 as int32 and bool": [
    () =>
      word(2 ** 32 - 1, 2 ** 31, 5)
        .cast("int32")
        .add(
          word(0, 2, 2 ** 31)
            .cast("bool")
            .cast("int32"),
        ),
    [-1, -(2 ** 31) + 1, 6],
  ],
  "uint32 of floats saturates": [
    () => f(-1, -0.5, 0.9, 2 ** 31, 2 ** 31 + 256, 2 ** 32 - 256, 2 ** 32, inf, -inf, NaN).cast("uint32"),
    [0, 0, 0, 2 ** 31, 2 ** 31 + 256, 2 ** 32 - 256, 2 ** 32 - 1, 2 ** 32 - 1, 0, 0],
  ],
  "uint32 of int32 and bool": [
    () =>
      i(-1, 5)
        .cast("uint32")
        .add(tensor([true, false]).cast("uint32")),
    [0, 5],
  ],
  "maximum and clamp of uint32": [
    () =>
      word(2 ** 31, 1)
        .maximum(word(1, 3))
        .clamp(0, 2 ** 31 - 1),
    [2 ** 31 - 1, 3],
  ],
  "searchSorted of uint32": [
    () => word(1, 2 ** 31, 2 ** 32 - 1).searchSorted(word(0, 1, 2 ** 31 + 1, 2 ** 32 - 1)),
    [0, 0, 2, 2],
  ],
  "searchSorted of uint32 from the right": [
    () => word(1, 2 ** 31, 2 ** 32 - 1).searchSorted(word(0, 1, 2 ** 31 + 1, 2 ** 32 - 1), { right: true }),
    [0, 1, 2, 3],
  ],
  bitNot: [() => i(0, -1, 5).bitNot(), [-1, 0, -6]],
  "bitNot of words": [() => word(0, 2 ** 32 - 1).bitNot(), [2 ** 32 - 1, 0]],
  isNaN: [() => f(NaN, inf, -inf, 0).isNaN(), [true, false, false, false]],
  isInf: [() => f(NaN, inf, -inf, 0).isInf(), [false, true, true, false]],
  isFinite: [() => f(NaN, inf, -inf, 3e38).isFinite(), [false, false, false, true]],
  nanToNum: [
    () => f(NaN, inf, -inf, 1).nanToNum(),
    [0, Math.fround(3.4028234663852886e38), -Math.fround(3.4028234663852886e38), 1],
  ],
  "nanToNum with numbers": [() => f(NaN, inf, -inf, 1).nanToNum({ nan: inf, posinf: 5, neginf: -5 }), [inf, 5, -5, 1]],
  "clamp passes NaN": [() => f(-2, 0, 2, NaN, inf).clamp(-1, 1), [-1, 0, 1, NaN, 1]],
  "clamp of integers": [() => i(-9, 0, 9).clamp(-1, 5), [-1, 0, 5]],
  "silu at its ends": [() => f(inf, -inf, 0, -0, 1e-40, NaN).silu(), [inf, -0, 0, -0, Math.fround(0.5e-40), NaN]],
  "expm1 at its ends": [() => f(inf, -inf, 0, -0, 1e-40, NaN).expm1(), [inf, -1, 0, -0, Math.fround(1e-40), NaN]],
  "log1p at its ends": [() => f(inf, -inf, 0, -0, -1, -1.5, NaN).log1p(), [inf, NaN, 0, -0, -inf, NaN, NaN]],
  "pow at its ends, as C's": [
    () =>
      f(NaN, 1, -1, 0, -0, -0, -0, -2, -2, 0.5, -inf, -inf, inf, 4).pow(
        f(0, NaN, inf, 0, -3, -2, 3, 3, 0.5, -inf, 3, -0.5, -1, 0.5),
      ),
    [1, 1, 1, 1, -inf, inf, -0, -8, NaN, inf, -inf, 0, 0, 2],
  ],
  "pow of a number": [() => f(3, -3, 0, 1e30).pow(2), [9, 9, 0, inf]],
  "a number to powers": [() => ops.pow(2, f(10, -149, -151, 128)), [1024, 2 ** -149, 0, inf]],
  "atan2 in its quadrants": [
    () => f(0, -0, 0, -0, 1, inf, -inf, NaN).atan2(f(1, 1, -1, -0, 0, inf, -inf, 1)),
    [0, -0, ...[Math.PI, -Math.PI, Math.PI / 2, Math.PI / 4, -0.75 * Math.PI].map(Math.fround), NaN],
  ],
  "hypot neither overflows nor underflows": [
    () => f(3e38, 2 ** -140, 0, -0, inf, NaN).hypot(f(0, 0, 0, -0, NaN, 1)),
    [Math.fround(3e38), 2 ** -140, 0, 0, inf, NaN],
  ],
  "elu at its ends": [() => f(inf, -inf, 0, -0, NaN).elu(0.5), [inf, -0.5, 0, -0, NaN]],
};

describe("values", () => {
  test.each(Object.keys(table))("%s", async (name) => {
    const [build, expected] = table[name];
    expect(await build().array()).toEqual(expected);
  });

  test("an exponential's overflow reaches no gradient", async () => {
    const x = f(1000, -1000, 2);
    for (const y of [x.elu(), x.selu(), x.celu(), x.silu()])
      for (const value of await gradients(y.sum(), [x])[0].data()) expect(Number.isFinite(value)).toBe(true);
  });

  test("pow's gradients where x or the exponent is 0, as PyTorch's", async () => {
    const [x, y] = [f(0, 0, 0, 0, -0, -2, -2, 0, NaN), f(0, 1, 0.5, 2, 3, 3, 0, -1, 0)];
    const [ofX, ofY] = gradients(x.pow(y).sum(), [x, y]);
    expect(await ofX.array()).toEqual([0, 1, inf, 0, 0, 12, 0, -inf, 0]);
    expect(await ofY.array()).toEqual([0, 0, 0, 0, 0, NaN, NaN, -inf, NaN]);
  });

  test("atan2's gradient at the origin is 0, and has a value where squares leave float32's range", async () => {
    const [y, x] = [f(0, 1e30, 1e-30), f(0, 1e30, 1e-30)];
    const [ofY, ofX] = gradients(y.atan2(x).sum(), [y, x]);
    expect(await ofY.array()).toEqual([0, expect.closeTo(5e-31, 36), expect.closeTo(5e29, -25)]);
    expect(await ofX.array()).toEqual([-0, expect.closeTo(-5e-31, 36), expect.closeTo(-5e29, -25)]);
  });

  test("gelu's forms", async () => {
    const x = f(-inf, -20, -1, 0, 1, 20, inf);
    const forms = [await x.gelu().array(), await x.gelu({ approximate: "tanh" }).array()] as number[][];
    expect(await x.gelu({ approximate: "none" }).array()).toEqual(forms[0]);
    expect(forms[1].map((value, i) => value === forms[0][i])).toEqual([true, true, false, true, false, true, true]);
    expect(await nn.gelu({ approximate: "tanh" }).forward(x).array()).toEqual(forms[1]);
    for (const value of await gradients(x.at("1:6").gelu({ approximate: "tanh" }).sum(), [x])[0].data())
      expect(Number.isFinite(value)).toBe(true);
  });

  test("clamp's gradient passes at a bound, hardtanh's doesn't", async () => {
    const x = f(-1, 0, 1, 2);
    expect(await gradients(x.clamp(-1, 1).sum(), [x])[0].array()).toEqual([1, 1, 1, 0]);
    expect(await gradients(x.hardtanh(-1, 1).sum(), [x])[0].array()).toEqual([0, 1, 0, 0]);
  });
});

describe("what is refused", () => {
  test.each<[string, () => unknown, new (...args: never[]) => Error, RegExp]>([
    [
      "div of integers",
      () => i(1).div(i(2)),
      DTypeError,
      /^div: .*int32 and int32.*\nHint: integers are divided by floorDivide/,
    ],
    ["ceil of integers", () => i(1).ceil(), DTypeError, /^ceil: /],
    ["floorDivide of two dtypes", () => i(1).floorDivide(f(1)), DTypeError, /no promotion: cast/],
    ["pow of integers", () => i(3).pow(2), DTypeError, /^pow: .*expected float32\nHint: cast first.*square\(x\)/],
    ["pow of two dtypes", () => f(3).pow(i(2)), DTypeError, /^pow: .*float32 and int32/],
    [
      "a form of gelu by another name",
      () => f(1).gelu({ approximate: "erf" as "tanh" }),
      ConfigError,
      /gelu.*approximate.*"none" or "tanh"/,
    ],
    ["bits of floats", () => f(1).bitAnd(f(1)), DTypeError, /int32 or uint32/],
    ["isNaN of integers", () => i(1).isNaN(), DTypeError, /^isNaN: /],
    ["a range that is none", () => f(1).clamp(2, 1), ConfigError, /clamp: .*2 and 1.*min ≤ max/],
    ["hardtanh likewise", () => f(1).hardtanh(2, 1), ConfigError, /hardtanh: /],
    ["celu of alpha 0", () => f(1).celu(0), ConfigError, /celu: /],
    [
      "one bound",
      () => (f(1) as unknown as { clamp(x: number): unknown }).clamp(1),
      ConfigError,
      /clamp: max is missing/,
    ],
  ])("%s", (_, attempt, kind, message) => {
    expect(attempt).toThrow(kind);
    expect(attempt).toThrow(message);
  });
});

describe("layers", () => {
  test("of activations: the functions, by name and with their numbers", async () => {
    const x = f(-2, -0.5, 0, 3);
    const { leakyRelu, elu, hardtanh, silu } = ops;
    const pairs = [
      [nn.silu(), silu(x)],
      [nn.leakyRelu(0.1), leakyRelu(x, 0.1)],
      [nn.elu(), elu(x)],
      [nn.hardtanh(-1, 2), hardtanh(x, -1, 2)],
    ] as const;
    for (const [layer, expected] of pairs) expect(await layer.forward(x).array()).toEqual(await expected.array());
    expect(String(nn.mlp({ sizes: [2, 3, 1], activation: "silu" }))).toContain("silu");
  });

  test("prelu: one slope, or one for each channel", async () => {
    expect(await nn.prelu().forward(f(-2, 4)).array()).toEqual([-0.5, 4]);
    const images = tensor([-1, -1, -1, -1, -1, -1], [1, 3, 2]);
    const layer = nn.prelu(3);
    layer.weight.assign(f(1, 2, 3));
    expect(await layer.forward(images).array()).toEqual([
      [
        [-1, -1],
        [-2, -2],
        [-3, -3],
      ],
    ]);
    expect(await gradients(layer.forward(images).sum(), [layer.weight])[0].array()).toEqual([-2, -2, -2]);
    expect(() => layer.forward(f(1, 2, 3))).toThrow(ShapeError);
    expect(() => layer.forward(tensor([1, 2], [1, 2]))).toThrow(/one slope for each channel: got \[1, 2\]/);
  });
});
