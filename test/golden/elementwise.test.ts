// Elementwise functions and their gradients against PyTorch's, from the committed elementwise.json (made by make_elementwise.py): |ours − theirs| ≤ 10⁻⁶ + 4·10⁻⁷·|theirs| a value,
// ten times that a gradient, unless a case says otherwise. Integers: the same.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { gradients, type Tensor, tensor } from "../../src/index.ts";
import { wave as torchWave } from "../support/torch.ts";

const golden: {
  floats: Record<string, { value: number[]; gradients: number[][] }>;
  integers: Record<string, number[]>;
} = JSON.parse(readFileSync(new URL("elementwise.json", import.meta.url), "utf8"));

/** The formula that make_elementwise.py computes too. */
const wave = (scale: number, shift: number): Tensor => torchWave([40], scale, shift);

beforeAll(() => sg.setDefaultBackend("reference"));

const x = wave(8, 6);
const positive = sg.add(sg.abs(x), 0.1);
const other = wave(3, 21);
const away = sg.add(other, sg.where(sg.less(other, 0), tensor(-0.3), 0.3));

interface Case {
  readonly apply: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
  /** Absolute, of a value; of a gradient ten times this. */
  readonly tolerance?: number;
}
const of =
  (...inputs: Tensor[]) =>
  (apply: Case["apply"], tolerance?: number): Case => ({ apply, inputs, tolerance });
const ofX = of(x);

const cases: Record<string, Case> = {
  square: ofX((a) => a.square()),
  reciprocal: ofX((a) => a.reciprocal()),
  ceil: ofX((a) => a.ceil()),
  round: ofX((a) => a.round()),
  trunc: ofX((a) => a.trunc()),
  expm1: ofX((a) => a.expm1()),
  exp2: ofX((a) => a.exp2()),
  atan: ofX((a) => a.atan()),
  sinh: ofX((a) => a.sinh()),
  cosh: ofX((a) => a.cosh()),
  rsqrt: of(positive)((a) => a.rsqrt()),
  log2: of(positive)((a) => a.log2()),
  log10: of(positive)((a) => a.log10()),
  asin: of(sg.div(x, 4.5))((a) => a.asin()),
  acos: of(sg.div(x, 4.5))((a) => a.acos()),
  tan: of(sg.div(x, 4.5))((a) => a.tan()),
  asinh: ofX((a) => a.asinh()),
  acosh: of(positive.add(1))((a) => a.acosh()),
  atanh: of(sg.div(x, 4.5))((a) => a.atanh()),
  erfc: of(sg.div(x, 2))((a) => a.erfc()),
  geluTanh: ofX((a) => a.gelu({ approximate: "tanh" })),
  pow: of(positive, other)((a, b) => a.pow(b)),
  "pow of a number": ofX((a) => a.pow(3)),
  "pow of two": ofX((a) => a.pow(2)),
  "number to a power": ofX((a) => sg.pow(1.7, a)),
  atan2: of(x, other)((a, b) => a.atan2(b)),
  hypot: of(x, other)((a, b) => a.hypot(b)),
  log1p: of(sg.div(x, 5))((a) => a.log1p()),
  // PyTorch's remainder is exact, ours rounds quotient and product: a unit of the last place of what is taken away.
  remainder: of(x, away)((a, b) => a.remainder(b)),
  floorDivide: of(x, away)((a, b) => a.floorDivide(b)),
  lerp: of(x, other, wave(1, 5))((a, b, w) => a.lerp(b, w)),
  clamp: ofX((a) => a.clamp(-1.5, 2)),
  "clamp by tensors": of(x, other)((a, low) => a.clamp(low, low.add(1))),
  silu: ofX((a) => a.silu()),
  prelu: of(x, other)((a, w) => a.prelu(w)),
  leakyRelu: ofX((a) => a.leakyRelu(0.2)),
  elu: ofX((a) => a.elu(0.7)),
  selu: ofX((a) => a.selu()),
  celu: ofX((a) => a.celu(1.5)),
  mish: ofX((a) => a.mish()),
  logSigmoid: ofX((a) => a.logSigmoid()),
  hardtanh: ofX((a) => a.hardtanh(-1, 2)),
  relu6: of(sg.mul(x, 2))((a) => a.relu6()),
  hardSigmoid: ofX((a) => a.hardSigmoid()),
  hardSwish: ofX((a) => a.hardSwish()),
};

async function compare(what: string, ours: Tensor, theirs: readonly number[], absolute: number): Promise<void> {
  const data = Array.from(await ours.data());
  expect(data.length).toBe(theirs.length);
  data.forEach((value, i) => {
    const off = Math.abs(value - theirs[i]);
    expect(off, `${what}: element ${i}: ours ${value}, PyTorch's ${theirs[i]}`).toBeLessThanOrEqual(
      absolute + 0.4 * absolute * Math.abs(theirs[i]),
    );
  });
}

describe("functions and their gradients", () => {
  test("every golden has its case", () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(golden.floats).sort());
  });

  test.each(Object.keys(cases))("%s", async (name) => {
    const { apply, inputs, tolerance = 1e-6 } = cases[name];
    const value = apply(...inputs);
    await compare(name, value, golden.floats[name].value, tolerance);
    const found = gradients(value.mul(wave(2, 9)).sum(), inputs);
    for (const [i, gradient] of found.entries())
      await compare(`${name}, gradient ${i}`, gradient, golden.floats[name].gradients[i], 10 * tolerance);
  });
});

describe("integers", () => {
  const integers = tensor([7, -7, 7, -7, 0, 2 ** 31 - 1, -(2 ** 31), 12345, -99999], "int32");
  const divisors = tensor([2, 2, -2, -2, 5, -3, 7, 100, 1000], "int32");
  const shifts = divisors.abs().remainder(11);
  const whole: Record<string, Tensor> = {
    floorDivide: integers.floorDivide(divisors),
    remainder: integers.remainder(divisors),
    bitAnd: integers.bitAnd(divisors),
    bitOr: integers.bitOr(divisors),
    bitXor: integers.bitXor(divisors),
    shiftLeft: integers.shiftLeft(shifts),
    shiftRight: integers.shiftRight(shifts),
    bitNot: integers.bitNot(),
  };

  test("every golden has its case", () => {
    expect(Object.keys(whole).sort()).toEqual(Object.keys(golden.integers).sort());
  });

  test.each(Object.keys(whole))("%s", async (name) => {
    expect(await whole[name].array()).toEqual(golden.integers[name]);
  });
});
