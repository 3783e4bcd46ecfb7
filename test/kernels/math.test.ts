// Elementary functions, sampled: bits and errors of inputs of every size, special values. All of it: npm run test:elementary.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { input } from "../../kernels/expr.ts";
import * as math from "../../kernels/math/index.ts";
import {
  operations,
  pairBlockCount,
  pairSubjects,
  runBlock,
  runEdges,
  runPairBlock,
  runPairSample,
  runSample,
  sequenceOf,
  subjects,
} from "../exhaustive/functions.ts";
import { scalarFunction } from "../support/expr.ts";

const golden: Record<
  string,
  { sequence: string; sample: string; blocks: string[]; maxUlp: number; operations: number }
> = JSON.parse(readFileSync(new URL("../golden/elementary.json", import.meta.url), "utf8"));

test("every function has its blocks, but for those that choose one of their operands", () => {
  const exact = ["maximum", "minimum"];
  const proven = [...Object.keys(subjects), ...Object.keys(pairSubjects)].sort();
  expect(
    Object.keys(math)
      .filter((name) => !exact.includes(name))
      .sort(),
  ).toEqual(proven);
  expect(Object.keys(golden).sort()).toEqual(proven);
  for (const name of proven) expect(golden[name].blocks.length).toBe(name in pairSubjects ? pairBlockCount : 512);
});

test.each(Object.keys(golden))("%s: the committed bits of a sample, and the stated bound", (name) => {
  const { hash, maxUlp } = name in subjects ? runSample(subjects[name]) : runPairSample(pairSubjects[name]);
  const subject = subjects[name] ?? pairSubjects[name];
  expect(hash).toBe(golden[name].sample);
  expect(maxUlp).toBeLessThanOrEqual(golden[name].maxUlp + 1e-4);
  expect(golden[name].maxUlp).toBeLessThanOrEqual(subject.bound);
  expect(golden[name].operations).toBe(operations(subject));
});

test.each(Object.keys(golden))(
  "%s: the sequence that ran over all inputs; after a change npm run test:elementary -- --update",
  (name) => {
    expect(sequenceOf(subjects[name] ?? pairSubjects[name])).toBe(golden[name].sequence);
  },
);

test("the committed bits of a whole block", () => {
  expect(runBlock(subjects.exp, 126).hash).toBe(golden.exp.blocks[126]);
});

test.each(Object.keys(pairSubjects))("%s of each pair of edges: the committed bits and the stated bound", (name) => {
  const { hash, maxUlp } = runPairBlock(pairSubjects[name], pairBlockCount - 1);
  expect(hash).toBe(golden[name].blocks[pairBlockCount - 1]);
  expect(maxUlp).toBeLessThanOrEqual(golden[name].maxUlp + 1e-4);
});

test.each(Object.keys(subjects))("%s of the edges, zeros of both signs among them: the stated bound", (name) => {
  expect(runEdges(subjects[name]).maxUlp).toBeLessThanOrEqual(golden[name].maxUlp + 1e-4);
});

describe("special values, as C's annex F", () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  test.each<[keyof typeof subjects, [number, number][]]>([
    [
      "exp",
      [
        [0, 1],
        [-0, 1],
        [inf, inf],
        [-inf, 0],
        [nan, nan],
        [88.73, inf],
        [-104, 0],
        [-103, Math.fround(1.4e-45)],
      ],
    ],
    [
      "log",
      [
        [0, -inf],
        [-0, -inf],
        [1, 0],
        [-1, nan],
        [inf, inf],
        [-inf, nan],
        [nan, nan],
      ],
    ],
    [
      "exp2",
      [
        [3, 8],
        [-149, 2 ** -149],
        [-151, 0],
        [128, inf],
        [inf, inf],
        [-inf, 0],
        [nan, nan],
      ],
    ],
    [
      "expm1",
      [
        [0, 0],
        [-0, -0],
        [inf, inf],
        [-inf, -1],
        [nan, nan],
      ],
    ],
    ...(["log2", "log10"] as const).map((name): [string, [number, number][]] => [
      name,
      [
        [0, -inf],
        [-0, -inf],
        [1, 0],
        [-1, nan],
        [inf, inf],
        [nan, nan],
      ],
    ]),
    [
      "log1p",
      [
        [0, 0],
        [-0, -0],
        [-1, -inf],
        [-2, nan],
        [inf, inf],
        [nan, nan],
      ],
    ],
    [
      "rsqrt",
      [
        [0, inf],
        [-0, -inf],
        [inf, 0],
        [-1, nan],
        [-inf, nan],
        [nan, nan],
      ],
    ],
    ...(["tan", "asin", "atan", "sinh"] as const).map((name): [string, [number, number][]] => [
      name,
      [
        [0, 0],
        [-0, -0],
        [1e-40, 1e-40],
        [nan, nan],
        [inf, { tan: nan, asin: nan, atan: Math.PI / 2, sinh: inf }[name]],
        [-inf, { tan: nan, asin: nan, atan: -Math.PI / 2, sinh: -inf }[name]],
      ],
    ]),
    [
      "acos",
      [
        [1, 0],
        [-1, Math.PI],
        [0, Math.PI / 2],
        [1.5, nan],
        [nan, nan],
      ],
    ],
    [
      "cosh",
      [
        [0, 1],
        [-0, 1],
        [inf, inf],
        [-inf, inf],
        [nan, nan],
      ],
    ],
    [
      "silu",
      [
        [0, 0],
        [-0, -0],
        [inf, inf],
        [-inf, -0],
        [nan, nan],
      ],
    ],
    [
      "tanh",
      [
        [0, 0],
        [-0, -0],
        [inf, 1],
        [-inf, -1],
        [nan, nan],
        [1e-40, 1e-40],
      ],
    ],
    [
      "sigmoid",
      [
        [0, 0.5],
        [-0, 0.5],
        [inf, 1],
        [-inf, 0],
        [nan, nan],
      ],
    ],
    [
      "softplus",
      [
        [0, Math.LN2],
        [-0, Math.LN2],
        [inf, inf],
        [-inf, 0],
        [nan, nan],
        [-103, Math.fround(1.4e-45)],
        [-105, 0],
        [100, 100],
      ],
    ],
    [
      "sin",
      [
        [0, 0],
        [-0, -0],
        [inf, nan],
        [-inf, nan],
        [nan, nan],
      ],
    ],
    [
      "cos",
      [
        [0, 1],
        [-0, 1],
        [inf, nan],
        [-inf, nan],
        [nan, nan],
      ],
    ],
    [
      "erf",
      [
        [0, 0],
        [-0, -0],
        [inf, 1],
        [-inf, -1],
        [nan, nan],
      ],
    ],
    ...(["asinh", "atanh"] as const).map((name): [string, [number, number][]] => [
      name,
      [
        [0, 0],
        [-0, -0],
        [1e-40, 1e-40],
        [1, { asinh: Math.asinh(1), atanh: inf }[name]],
        [-1, { asinh: -Math.asinh(1), atanh: -inf }[name]],
        [inf, { asinh: inf, atanh: nan }[name]],
        [nan, nan],
      ],
    ]),
    [
      "acosh",
      [
        [1, 0],
        [0.99, nan],
        [-inf, nan],
        [inf, inf],
        [nan, nan],
      ],
    ],
    [
      "erfc",
      [
        [0, 1],
        [-0, 1],
        [inf, 0],
        [-inf, 2],
        [nan, nan],
      ],
    ],
    ...(["gelu", "geluTanh"] as const).map((name): [string, [number, number][]] => [
      name,
      [
        [0, 0],
        [-0, -0],
        [-1e-45, -0],
        [inf, inf],
        [-inf, -0],
        [nan, nan],
      ],
    ]),
  ])("%s", (name, pairs) => {
    const f = scalarFunction(subjects[name].expr);
    for (const [x, y] of pairs)
      expect(Object.is(f(Math.fround(x)), Math.fround(y)), `${name}(${x}) = ${f(Math.fround(x))}`).toBe(true);
  });

  test("large angles stay in [−1, 1]", () => {
    const [sin, cos] = [scalarFunction(subjects.sin.expr), scalarFunction(subjects.cos.expr)];
    for (const x of [12869, 1e5, 1e10, 3e38, -3e38])
      for (const f of [sin, cos]) expect(Math.abs(f(Math.fround(x)))).toBeLessThanOrEqual(1);
  });

  test("maximum and minimum: NaN on the left wins, on the right it is given too", () => {
    const [a, b] = [input(0, "float32"), input(1, "float32")];
    const [max, min] = [scalarFunction(math.maximum(a, b)), scalarFunction(math.minimum(a, b))];
    expect([max(1, 2), max(nan, 1), max(1, nan), max(0, -0), max(-0, 0)]).toEqual([2, nan, nan, 0, -0]);
    expect([min(1, 2), min(nan, 1), min(1, nan), min(0, -0), min(-0, 0)]).toEqual([1, nan, nan, 0, -0]);
  });
});
