// What other libraries call a method is refused with ours, and an op's errors are told as those of the call.
import { expect, test } from "vitest";
import { ConfigError, DTypeError, SeedgradError, ShapeError } from "../../src/core/errors.ts";
import * as sg from "../../src/index.ts";
import { properties, renamed } from "../../src/tensor/renamed.ts";
import { calls, functionsByName } from "../support/op-calls.ts";

const x = () => sg.tensor([[1, 2]]);

test("a method by another library's name is refused with ours, which there is", () => {
  expect(renamed.size).toBeGreaterThan(40);
  for (const [name, ours] of renamed) {
    expect(Object.hasOwn(sg.ops, name), name).toBe(false);
    for (const [, each] of ours.matchAll(/x\.(\w+)/g)) expect(typeof (x() as never)[each], each).toBe("function");
    expect(() => ((x() as never)[name] as () => void)()).toThrow(ConfigError);
  }
  expect(() => (x() as unknown as { repeat(n: number): void }).repeat(2)).toThrow(
    "repeat: a tensor has no such method: expected x.tile or x.repeatInterleave",
  );
  // An op's name with underscores, as PyTorch and NumPy write theirs, is told too, unless it says the same without.
  const spelt = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const theirs = [
    "broadcastTo",
    "floorDivide",
    "greaterEqual",
    "lessEqual",
    "logicalNot",
    "nanToNum",
    "repeatInterleave",
  ];
  for (const name of theirs) expect(renamed.get(spelt(name)), name).toBe(`x.${name}`);
});

test("a property by another library's name is refused, read or set, and so is a tensor as a list", () => {
  for (const [name, ours] of properties) {
    for (const [, each] of ours.matchAll(/x\.(\w+)/g)) expect((x() as never)[each], each).toBeDefined();
    const message = new RegExp(`^${name}: a tensor has no such property: expected `);
    expect(() => (x() as never)[name]).toThrow(message);
    expect(() => Object.assign(x(), { [name]: true })).toThrow(message);
  }
  const list = x() as unknown as ArrayLike<number>;
  expect(() => Array.from(list)).toThrow(/^length: .*await x\.array\(\)/);
  expect(() => new Float32Array(list)).toThrow(/^length: /);
  expect(() => list.length).toThrow(ConfigError);
});

/** Operands of another dtype or shape. */
const changes: Readonly<Record<string, (x: sg.Tensor) => sg.Tensor>> = {
  integers: (x) => x.cast(x.dtype === "float32" ? "int32" : "float32"),
  truths: (x) => x.cast(x.dtype === "bool" ? "int32" : "bool"),
  scalar: (x) => sg.zeros([], x.dtype),
  empty: (x) => sg.zeros([0], x.dtype),
  flat: (x) => x.flatten(),
  deeper: (x) => x.expandDims(0),
  wider: (x) => sg.zeros(x.rank === 0 ? [2] : [...x.shape.slice(0, -1), x.shape[x.rank - 1] + 3], x.dtype),
};

test("operands that don't fit are refused in the name of what was called, whatever it is made of", () => {
  sg.manualSeed(0);
  let [refused, wrong] = [0, [] as string[]];
  for (const [name, { args }] of Object.entries(calls)) {
    const given = args();
    for (const [i, arg] of given.entries()) {
      if (!(arg instanceof sg.Tensor)) continue;
      for (const [what, change] of Object.entries(changes)) {
        try {
          if (arg.dtype === "uint32" && what !== "flat") continue;
          functionsByName[name](...given.slice(0, i), change(arg), ...given.slice(i + 1));
        } catch (error) {
          refused++;
          const { where } = error as SeedgradError;
          if (!(error instanceof SeedgradError) || (where !== name && !where.startsWith(`${name}.`)))
            wrong.push(`${name}, ${i} ${what}: ${error}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(refused).toBeGreaterThan(700);
});

test("which op it is made of refused them stands beside the problem; what was wrong and what to do are its own", () => {
  const integers = sg.ones([1, 1, 4], "int32");
  expect(() => sg.softmax(integers)).toThrow(DTypeError);
  expect(() => sg.softmax(integers)).toThrow(/^softmax: dtypes don't fit \(in exp\): got int32, .*\nHint: cast first/);
  // The hint never leads to a dtype that holds less.
  expect(() => sg.mul(integers, sg.ones([1]))).toThrow(
    /^mul: .*got int32 and float32, .*\nHint: .*x\.cast\("float32"\)$/,
  );
  expect(() => sg.conv1d(integers, sg.ones([1, 1, 2]))).toThrow(/^conv1d: .* \(in \w+\): .*x\.cast\("float32"\)$/s);
  expect(() => sg.variance(x(), 5)).toThrow(ShapeError);
  expect(() => sg.variance(x(), 5)).toThrow(/^variance: axis out of range \(in mean\): got 5/);
  expect(() => sg.sum(sg.zeros([2], "uint32"))).toThrow(
    /^sum: .*got uint32, .*\nHint: cast first, as in x.cast\("float32"\)/,
  );
});

test("what is given as in other libraries gets a hint", () => {
  const loose = sg as unknown as Record<string, (...args: unknown[]) => unknown>;
  const hints: [() => unknown, RegExp][] = [
    [
      () => (x() as never as Record<string, () => void>).backward(),
      /^backward: .*expected gradients\(loss, parameters\), or/,
    ],
    [() => loose.concat(x(), x()), /^concat: parts isn't a list of tensors.*\nHint: they are one list, as in \[a, b\]/],
    [() => sg.oneHot(x(), 2), /^oneHot: indices aren't int32: .*\nHint: cast first, as in x\.cast\("int32"\)/],
    [() => sg.zeros([-1]), /^zeros: /],
    [
      () => (sg.optim.adam as never as (x: unknown) => void)([]),
      /^adam: options is .*\nHint: it needs \{ learningRate \}/,
    ],
    [
      () => (sg.optim.sgd as never as (x: unknown) => void)([]),
      /^sgd: options is .*\nHint: it needs \{ learningRate \}/,
    ],
    [() => loose.norm(x(), 1), /^norm: .*got 1\nHint: an axis is \{ axis: 1 \}, the order of the norm \{ p: 1 \}/],
    [() => loose.clamp(x(), 0), /^clamp: max is missing.*\nHint: one bound alone is maximum\(x, min\)/],
    [() => loose.bernoulli([2], x()), /^bernoulli: p isn't a number.*\nHint: .*uniform\(shape\)\.less\(p\)/],
    [
      () => loose.normal([2], x()),
      /^normal: mean isn't a number.*\nHint: .*normal\(shape\)\.mul\(deviation\)\.add\(mean\)/,
    ],
    [() => loose.jacobian(() => x(), x()), /^jacobian: .*\nHint: .*jacobian\(f\)\(x\)/],
    [() => loose.hessian(() => x(), [x()], 1), /^hessian: too many.*\nHint: .*hessian\(f\)\(x\)/],
    [() => loose.tensor([1], "bfloat16"), /^tensor: .*\nHint: here it is called float32, which roundTo narrows/],
    [() => loose.zeros([1], "float16"), /^zeros: .*\nHint: here it is called float32, which roundTo narrows/],
    [
      () => (sg.nn.sequential as never as (x: unknown) => void)([sg.nn.relu()]),
      /^nn.sequential: .*\nHint: .*nn\.sequential\(\.\.\.modules\)/,
    ],
    [
      () => sg.nn.linear(2, 3).forward(x().flatten().tile(2)),
      /^nn\.linear: .*got \[4\], and a weight of \[3, 2\], expected \[\.\.\., 2\]/,
    ],
    [
      () => sg.losses.crossEntropy(sg.zeros([2, 3, 4]), sg.zeros([2, 4], "int32")),
      /\nHint: classes are the last axis here: outputs\.moveAxis\(1, -1\)/,
    ],
  ];
  for (const [wrong, message] of hints) expect(wrong).toThrow(message);
});
