// Elementary functions, sampled: hashes of some of the exhaustive run's blocks, errors over one block, special values. All of it: npm run test:elementary.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { input } from "../../kernels/expr.ts";
import * as math from "../../kernels/math/index.ts";
import { operations, pairBlockCount, pairSubjects, runBlock, runPairBlock, subjects } from "../exhaustive/functions.ts";
import { scalarFunction } from "../support/expr.ts";

const golden: Record<string, { blocks: string[]; maxUlp: number; operations: number }> = JSON.parse(
  readFileSync(new URL("../golden/elementary.json", import.meta.url), "utf8"),
);
/** Around ½ to 2, and a block of negative numbers of tens. */
const blocks = [126, 388];
/** Errors are measured at each so many inputs; the exhaustive run measures all. */
const every = 17;

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

describe.each(Object.keys(subjects))("%s", (name) => {
  const subject = subjects[name];
  test("the committed bits and the stated bound over one block", () => {
    const { hash, maxUlp, inputs } = runBlock(subject, blocks[0], { every });
    expect(inputs).toBe(Math.ceil(2 ** 23 / every));
    expect(hash).toBe(golden[name].blocks[blocks[0]]);
    expect(maxUlp).toBeLessThanOrEqual(golden[name].maxUlp + 1e-4);
    expect(golden[name].maxUlp).toBeLessThanOrEqual(subject.bound);
    expect(golden[name].operations).toBe(operations(subject));
  }, 60_000);

  test("the committed bits of another block", () => {
    expect(runBlock(subject, blocks[1], { every: Infinity }).hash).toBe(golden[name].blocks[blocks[1]]);
  }, 60_000);
});

// |x| from 8192 on, where the way of large angles begins; from 2⁶⁵ on; the last before ∞.
test.each(["sin", "cos", "tan"].flatMap((name) => [140, 448, 254].map((block) => [name, block] as const)))(
  "%s of large angles: the committed bits and the stated bound over block %i",
  (name, block) => {
    const { hash, maxUlp } = runBlock(subjects[name], block, { every });
    expect(hash).toBe(golden[name].blocks[block]);
    expect(maxUlp).toBeLessThanOrEqual(golden[name].maxUlp + 1e-4);
  },
  60_000,
);

describe.each(Object.keys(pairSubjects))("%s", (name) => {
  const subject = pairSubjects[name];
  test.each([0, pairBlockCount - 1])(
    "the committed bits and the stated bound over block %i of pairs",
    (block) => {
      const { hash, maxUlp } = runPairBlock(subject, block);
      expect(hash).toBe(golden[name].blocks[block]);
      expect(maxUlp).toBeLessThanOrEqual(golden[name].maxUlp + 1e-4);
      expect(golden[name].maxUlp).toBeLessThanOrEqual(subject.bound);
      expect(golden[name].operations).toBe(operations(subject));
    },
    60_000,
  );
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
