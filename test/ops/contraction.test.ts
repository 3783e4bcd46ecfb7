// Contractions and Fourier transforms: what bits they give, gradients by differences, transforms against their definition, and what is refused.
import { beforeAll, describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../../src/core/errors.ts";
import * as sg from "../../src/index.ts";
import * as contraction from "../../src/ops/contraction.ts";
import { einsum } from "../../src/ops/einsum.ts";
import * as fft from "../../src/ops/fft.ts";
import { checkGradients } from "../support/gradients.ts";
import { expectSameBits, roughData } from "../support/graphs.ts";

beforeAll(() => sg.setDefaultBackend("reference"));

const rough = (shape: number[], seed = 1) => sg.tensor(roughData(shape, seed).data, { shape });

describe("einsum's bits are those of", () => {
  const same = async (a: sg.Tensor, b: sg.Tensor, what: string) => {
    expect([what, a.shape]).toEqual([what, b.shape]);
    expectSameBits(await a.data(), await b.data(), what);
  };
  test("one matrix product where it is one", async () => {
    const [a, b] = [rough([5, 300]), rough([300, 7], 2)];
    await same(sg.einsum("ij,jk->ik", a, b), a.matmul(b), "plain");
    await same(sg.einsum("ji,jk", a.swapAxes(), b), a.matmul(b), "a transpose");
    const [q, k] = [rough([2, 3, 5, 8]), rough([2, 3, 4, 8], 2)];
    await same(sg.einsum("bhqd,bhkd->bhqk", q, k), q.matmul(k.swapAxes()), "batched");
    await same(q.tensordot(k, [[3], [3]]), sg.einsum("abqd,xykd->abqxyk", q, k), "tensordot");
  });
  test("products and one sum, where no other axis is", async () => {
    const [a, b] = [rough([3, 40]), rough([3, 40], 2)];
    await same(sg.einsum("bi,bi->b", a, b), a.mul(b).sum(1), "rows");
    await same(sg.dot(a.at(0), b.at(1)), sg.einsum("i,i->", a.at(0), b.at(1)), "dot");
  });
  test("operands from the left: an axis that only later ones need stays", async () => {
    const [a, b, c] = [rough([4, 5]), rough([5, 6], 2), rough([6, 3], 3)];
    await same(sg.einsum("ij,jk,kl->il", a, b, c), a.matmul(b).matmul(c), "a chain");
  });
});

test("integers wrap, as products and sums do", async () => {
  const x = sg.tensor([2 ** 30, 3], "int32");
  expect(await sg.einsum("i,i", x, sg.tensor([4, 5], "int32")).item()).toBe(15);
  expect(await x.outer(sg.tensor([2], "int32")).array()).toEqual([[-(2 ** 31)], [6]]);
});

test("cdist's gradient is 0 at distance 0, and NaN passes", async () => {
  const a = sg.tensor([[1, 2]]);
  const distances = a.cdist(
    sg.tensor([
      [1, 2],
      [4, 6],
      [Number.NaN, 0],
    ]),
  );
  expect(await distances.array()).toEqual([[0, 5, Number.NaN]]);
  const near = a.cdist(
    sg.tensor([
      [1, 2],
      [4, 6],
    ]),
  );
  expect(await sg.gradients(near.sum(), [a])[0].array()).toEqual([[Math.fround(-0.6), Math.fround(-0.8)]]);
});

describe("transforms against their definition, in float64", () => {
  test.each([6, 16, 34, 121, 128, 131, 257, 1000, 1024])("of %i", async (n) => {
    const x = sg.tensor(
      Float32Array.from({ length: 2 * n }, (_, i) => Math.fround(((i * 7919) % 4001) / 2000 - 1)),
      { shape: [n, 2] },
    );
    const [values, ours, back] = [await x.data(), await x.fft().data(), await x.fft().ifft().data()];
    let [worst, size] = [0, 0];
    for (let k = 0; k < n; k++) {
      let [re, im] = [0, 0];
      for (let j = 0; j < n; j++) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n;
        re += values[2 * j] * Math.cos(angle) - values[2 * j + 1] * Math.sin(angle);
        im += values[2 * j] * Math.sin(angle) + values[2 * j + 1] * Math.cos(angle);
      }
      worst = Math.max(worst, Math.hypot(ours[2 * k] - re, ours[2 * k + 1] - im));
      size += re * re + im * im;
    }
    expect(worst / Math.sqrt(size)).toBeLessThan(2e-7);
    expect(Math.max(...back.map((each, i) => Math.abs(each - values[i])))).toBeLessThan(2e-6);
  });

  test("a transform of an impulse is exact", async () => {
    const impulse = sg.tensor([
      [1, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(await impulse.fft().array()).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(await sg.tensor([0, 1, 0, 0]).rfft().array()).toEqual([
      [1, 0],
      [0, -1],
      [-1, 0],
    ]);
  });

  test("a half has a shape of its own, and n says which whole", async () => {
    expect(sg.ones([2, 7]).rfft().shape).toEqual([2, 4, 2]);
    expect(sg.ones([2, 4, 2]).irfft().shape).toEqual([2, 6]);
    expect(sg.ones([2, 4, 2]).irfft({ n: 7 }).shape).toEqual([2, 7]);
    expect(sg.ones([1, 2]).irfft().shape).toEqual([1]);
    expect(sg.ones([0, 4, 2]).fft().shape).toEqual([0, 4, 2]);
  });
});

describe("gradients and second gradients", () => {
  test.each<[string, ...number[][]]>([
    ["ij,jk->ik", [2, 3], [3, 2]],
    ["ii,ij->j", [3, 3], [3, 2]],
    ["...i,...i", [2, 3], [1, 3]],
    ["ij,kl->", [2, 2], [2, 2]],
    ["ij,j,jk->k", [2, 2], [2], [2, 2]],
  ])("einsum %s", (equation, ...shapes) => {
    checkGradients(shapes, (...inputs) => einsum(equation, ...inputs));
  });
  test("outer, kron, cross, cdist", () => {
    checkGradients([[2], [3]], contraction.outer);
    checkGradients([[2], [2, 2]], contraction.kron);
    checkGradients(
      [
        [2, 3],
        [2, 3],
      ],
      (a, b) => contraction.cross(a, b),
    );
    checkGradients(
      [
        [2, 2],
        [2, 2],
      ],
      contraction.cdist,
      {
        ranges: [
          [-2, 0],
          [3, 5],
        ],
      },
    );
  });
  test("transforms", () => {
    checkGradients([[3, 2]], fft.fft);
    checkGradients([[1, 4, 2]], fft.ifft);
    checkGradients([[6]], fft.rfft);
    checkGradients([[3, 2]], (x) => fft.irfft(x, { n: 5 }));
  });
});

const x = (...shape: number[]) => sg.zeros(shape);
const int = (...shape: number[]) => sg.zeros(shape, "int32");
const wrong: readonly [string, () => unknown, RegExp, typeof ShapeError | typeof DTypeError][] = [
  ["no equation", () => sg.einsum("ij;jk", x(2, 2)), /^einsum: not an equation: got "ij;jk"/, ShapeError],
  ["two arrows", () => sg.einsum("i->i->i", x(2)), /^einsum: not an equation/, ShapeError],
  [
    "fewer operands",
    () => sg.einsum("i,i", x(2)),
    /^einsum: a term for each operand: got 2 terms and 1 operands/,
    ShapeError,
  ],
  ["no operand", () => sg.einsum("i"), /^einsum: a term for each operand/, ShapeError],
  [
    "too few letters",
    () => sg.einsum("i->i", x(2, 2)),
    /^einsum: a term isn't its operand's shape.*\nHint: axes that have no letter/,
    ShapeError,
  ],
  ["too many letters", () => sg.einsum("ijk", x(2, 2)), /^einsum: a term isn't its operand's shape/, ShapeError],
  [
    "two extents",
    () => sg.einsum("ij,jk", x(2, 3), x(2, 2)),
    /^einsum: an axis has two extents: got 2 and 3 for "j"/,
    ShapeError,
  ],
  ["a diagonal of two extents", () => sg.einsum("ii", x(2, 1)), /^einsum: an axis has two extents/, ShapeError],
  ["a new letter", () => sg.einsum("i->j", x(2)), /^einsum: a letter of the result/, ShapeError],
  ["a letter twice", () => sg.einsum("i->ii", x(2)), /^einsum: a letter of the result/, ShapeError],
  ['a result without "..."', () => sg.einsum("...i->i", x(2, 2)), /^einsum: the result lacks "..."/, ShapeError],
  ["two dtypes", () => sg.einsum("i,i", x(2), int(2)), /^einsum: dtypes don't fit: got float32 and int32/, DTypeError],
  ["bools", () => sg.einsum("i,i", x(2).greater(0), x(2).greater(0)), /^einsum: dtypes don't fit/, DTypeError],
  ["tensordot of three", () => x(2, 2).tensordot(x(2, 2), 3), /^tensordot: not axes of both/, ShapeError],
  ["tensordot of other extents", () => x(2, 3).tensordot(x(2, 3), 1), /^tensordot: shapes don't fit/, ShapeError],
  [
    "tensordot of an axis twice",
    () =>
      x(2, 2).tensordot(x(2, 2), [
        [0, 0],
        [0, 1],
      ]),
    /^tensordot: an axis is named twice/,
    ShapeError,
  ],
  ["tensordot of two dtypes", () => x(2).tensordot(int(2), 1), /^tensordot: dtypes don't fit/, DTypeError],
  ["outer of matrices", () => x(2, 2).outer(x(2)), /^outer: shapes don't fit.*\nHint: of more axes/, ShapeError],
  [
    "dot of matrices",
    () => x(2, 2).dot(x(2, 2)),
    /^dot: shapes don't fit.*\nHint: products of matrices are matmul/,
    ShapeError,
  ],
  [
    "cross of four",
    () => x(4).cross(x(4)),
    /^cross: shapes don't fit: got \[4\] and \[4\], expected extent 3/,
    ShapeError,
  ],
  ["cdist of other widths", () => x(2, 3).cdist(x(2, 4)), /^cdist: shapes don't fit/, ShapeError],
  ["fft of reals", () => x(2, 3).fft(), /^fft: not pairs.*\nHint: of real numbers it is rfft\(x\)/, ShapeError],
  ["fft of integers", () => int(2, 2).fft(), /^fft: dtypes don't fit/, DTypeError],
  ["rfft of nothing", () => x(2, 0).rfft(), /^rfft: nothing to transform/, ShapeError],
  ["rfft of a scalar", () => x().rfft(), /^rfft: nothing to transform/, ShapeError],
  [
    "irfft of another length",
    () => x(4, 2).irfft({ n: 8 }),
    /^irfft: not the half of that many.*expected n 6 or 7/,
    ShapeError,
  ],
];
test.each(wrong)("%s is refused", (_, call, message, type) => {
  expect(call).toThrow(message);
  expect(call).toThrow(type);
});
