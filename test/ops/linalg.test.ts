// Linear algebra: how near to their matrix products of factors are, gradients by differences, what singular matrices give, and what is refused.
import { beforeAll, describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../../src/core/errors.ts";
import type { Node } from "../../src/graph/node.ts";
import * as sg from "../../src/index.ts";
import { constant, eye } from "../../src/ops/creation.ts";
import { einsum } from "../../src/ops/einsum.ts";
import { add, mul } from "../../src/ops/elementwise.ts";
import * as jacobi from "../../src/ops/jacobi.ts";
import * as lu from "../../src/ops/lu.ts";
import { swapAxes } from "../../src/ops/movement.ts";
import * as qr from "../../src/ops/qr.ts";
import { triangularSolve } from "../../src/ops/triangular.ts";
import { checkGradients } from "../support/gradients.ts";
import { expectSameBits, roughData } from "../support/graphs.ts";

beforeAll(() => sg.setDefaultBackend("wasm"));

const random = (...shape: number[]) => {
  sg.manualSeed(7);
  return sg.normal(shape);
};
/** The largest difference, as a part of the largest element of b. */
const off = async (a: sg.Tensor, b: sg.Tensor) =>
  ((await a.sub(b).abs().max().item()) as number) / ((await b.abs().max().item()) as number);

describe("factors multiply to their matrix, orthogonal ones to the identity", () => {
  test.each([
    [1, 1],
    [2, 2],
    [17, 17],
    [40, 9],
    [5, 33],
  ])("[%i, %i]", async (m, n) => {
    const x = random(2, m, n);
    const k = Math.min(m, n);
    const { q, r } = x.qr();
    expect(await off(q.matmul(r), x)).toBeLessThan(2e-6);
    expect(await off(q.swapAxes().matmul(q), sg.eye(k))).toBeLessThan(2e-6);
    const { u, s, vh } = x.svd();
    expect(await off(u.mul(s.expandDims(-2)).matmul(vh), x)).toBeLessThan(4e-6);
    expect(await off(u.swapAxes().matmul(u), sg.eye(k))).toBeLessThan(3e-6);
    expect(await off(vh.matmul(vh.swapAxes()), sg.eye(k))).toBeLessThan(3e-6);
    expect(await off(s.sort({ descending: true }), s)).toBe(0);
    expect(await off(x.matmul(x.pinverse()).matmul(x), x)).toBeLessThan(1e-4);
    expect(await x.matrixRank().array()).toEqual([k, k]);
    if (m !== n) return;
    const definite = x.matmul(x.swapAxes()).add(sg.eye(n));
    const l = definite.cholesky();
    expect(await off(l.matmul(l.swapAxes()), definite)).toBeLessThan(1e-6);
    const factors = x.lu();
    expect(await off(factors.p.matmul(factors.l).matmul(factors.u), x)).toBeLessThan(2e-6);
    expect(await off(definite.matmul(definite.solve(x)), x)).toBeLessThan(1e-4);
    const { eigenvalues, eigenvectors } = x.add(x.swapAxes()).eigh();
    const again = eigenvectors.mul(eigenvalues.expandDims(-2)).matmul(eigenvectors.swapAxes());
    expect(await off(again, x.add(x.swapAxes()))).toBeLessThan(4e-6);
    expect(await off(eigenvectors.swapAxes().matmul(eigenvectors), sg.eye(n))).toBeLessThan(3e-6);
    expect(await off(eigenvalues.sort(), eigenvalues)).toBe(0);
  });

  test("twelve sweeps are enough: more change nothing that matters, at 64", async () => {
    const x = random(64, 64);
    const symmetric = x.add(x.swapAxes());
    const { eigenvectors: v } = symmetric.eigh();
    const rest = v.swapAxes().matmul(symmetric).matmul(v);
    expect(await off(rest.mul(sg.eye(64)), rest)).toBeLessThan(1e-5);
    const { u, s, vh } = x.svd();
    expect(await off(u.mul(s).matmul(vh), x)).toBeLessThan(1e-5);
    expect(await off(u.swapAxes().matmul(u), sg.eye(64))).toBeLessThan(1e-5);
  });
});

test("a matrix of a batch has the bits that it has alone", async () => {
  const rough = roughData([3, 5, 5], 4);
  const x = sg.tensor(rough.data, { shape: [3, 5, 5] });
  const results = (each: sg.Tensor) => [each.inverse(), each.qr().q, each.svd().vh, each.eigh().eigenvectors];
  const alone = results(x.at(1));
  for (const [i, whole] of results(x).entries())
    expectSameBits(await whole.at(1).data(), await alone[i].data(), `${i}`);
});

describe("exact results", () => {
  test("pivots are the largest, of several the lowest row", async () => {
    const x = sg.tensor([
      [1, 5],
      [-2, 3],
      [2, 1],
    ]);
    const square = sg.concat([x, sg.tensor([[0], [1], [0]])], 1);
    const { p, l, u } = square.lu();
    expect(await p.array()).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(await p.matmul(l).matmul(u).array()).toEqual(await square.array());
  });
  test("of the empty matrix, the determinant is 1", async () => {
    const x = sg.zeros([2, 0, 0]);
    expect(await x.det().array()).toEqual([1, 1]);
    expect(x.inverse().shape).toEqual([2, 0, 0]);
    expect(await x.slogdet().logAbsDet.array()).toEqual([0, 0]);
    expect(await sg.zeros([3, 0]).svd().s.array()).toEqual([]);
  });
  test("the other triangle isn't read", async () => {
    const t = sg.tensor([
      [2, Number.NaN],
      [1, 4],
    ]);
    expect(await t.triangularSolve(sg.tensor([2, 9]), { upper: false }).array()).toEqual([1, 2]);
  });
  test("powers", async () => {
    const x = sg.tensor([
      [1, 1],
      [1, 0],
    ]);
    const [ten, none, back] = [10, 0, -1].map((times) => x.matrixPower(times).array());
    expect(await ten).toEqual([
      [89, 55],
      [55, 34],
    ]);
    expect(await none).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(await back).toEqual([
      [0, 1],
      [1, -1],
    ]);
  });
});

test("what singular matrices give", async () => {
  const x = sg.tensor([
    [1, 2],
    [2, 4],
  ]);
  expect(Math.abs(await x.det().item())).toBe(0);
  expect(await sg.gradients(x.det(), [x])[0].array()).toEqual([
    [4, -2],
    [-2, 1],
  ]);
  expect(Math.abs(await x.slogdet().sign.item())).toBe(0);
  expect(await x.slogdet().logAbsDet.item()).toBe(-Infinity);
  expect(await x.inverse().isFinite().any().item()).toBe(0);
  expect(await x.neg().cholesky().isFinite().all().item()).toBe(0);
  expect(await x.matrixRank().item()).toBe(1);
  expect(await off(x.pinverse(), x.div(25))).toBeLessThan(1e-6);
  const { u, s, vh } = sg.zeros([3, 2]).svd();
  expect(await s.array()).toEqual([0, 0]);
  expect(await u.swapAxes().matmul(u).array()).toEqual(await vh.matmul(vh.swapAxes()).array());
  const one = sg.eye(2);
  const [gradient] = sg.gradients(one.eigh().eigenvectors.sum(), [one]);
  expect(await gradient.isFinite().all().item()).toBe(0);
});

test("under autocast nothing is rounded: factors are float32's", async () => {
  const x = random(5, 5);
  const narrow = sg.autocast("bfloat16", () => x.qr().q);
  expectSameBits(await narrow.data(), await x.qr().q.data(), "q");
});

describe("gradients and second gradients", () => {
  /** Plus 3 on the diagonal, so that differences stay far from where there is no gradient. */
  const apart = (x: Node) => add(x, mul(eye(x.shape[1]), 3));
  const small: readonly [number, number] = [-1, 1];
  const check = (shapes: number[][], build: (...inputs: Node[]) => Node) =>
    checkGradients(shapes, build, { ranges: shapes.map(() => small), tolerance: 2e-5 });
  test("triangularSolve", () => {
    check([[2, 2], [2]], (a, b) => triangularSolve(apart(a), b, { upper: false }));
    check(
      [
        [2, 2],
        [2, 1],
      ],
      (a, b) => triangularSolve(a, b, { upper: true, unitDiagonal: true }),
    );
  });
  test("lu", () => {
    check([[2, 2]], (x) => lu.lu(apart(x)).l);
    check([[2, 2]], (x) => lu.lu(apart(x)).u);
  });
  test.each<[string, number[][]]>([
    ["by 0", [[0]]],
    [
      "of rank 1",
      [
        [1, 2],
        [2, 4],
      ],
    ],
    [
      "of rank 2",
      [
        [1, -2, 1],
        [2, 5, 2],
        [-1, 3, -1],
      ],
    ],
    [
      "of rank 1 of 3",
      [
        [1, 2, 1],
        [2, 4, 2],
        [-1, -2, -1],
      ],
    ],
    [
      "of zeros",
      [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
    ],
    [
      "above the diagonal alone",
      [
        [0, 1, 2, 3],
        [0, 0, -1, 2],
        [0, 0, 0, 2],
        [0, 0, 0, 0],
      ],
    ],
    [
      "of rank 3 of 4, exchanged",
      [
        [1, 2, 3, 1],
        [4, -1, 0, 4],
        [2, 1, 5, 2],
        [-3, 1, 1, -3],
      ],
    ],
  ])("det of a singular matrix %s", (_, rows) => {
    // Each input is 1, so that the matrix is these rows to the last bit.
    const others = Float32Array.from(rows.flat(), (each) => each - 1);
    const shape = [rows.length, rows.length];
    checkGradients([shape], (x) => lu.det(add(x, constant(others, shape, "float32"))), { ranges: [[1, 1]] });
  });
  test("det", () => check([[3, 3]], (x) => lu.det(apart(x))));
  test("det of a regular matrix has no singular values in its gradients: their squares may be infinite", async () => {
    const x = sg.tensor([
      [
        [2 ** 83, 0],
        [0, 2 ** 33],
      ],
      [
        [1, 2],
        [2, 4],
      ],
    ]);
    const [gradient] = sg.gradients(x.det().sum(), [x]);
    const weights = sg.tensor([
      [1, 2],
      [3, 4],
    ]);
    const [second] = sg.gradients(gradient.mul(weights).sum(), [x]);
    expect(await second.isFinite().all().item()).toBe(1);
    expect(await second.at(0).array()).toEqual([
      [4, -3],
      [-2, 0],
    ]);
  });
  test("qr", () => {
    check([[2, 2]], (x) => qr.qr(apart(x)).q);
    check([[3, 2]], (x) => qr.qr(x).r);
  });
  test("lstsq", () => check([[3, 2], [3]], (a, b) => qr.lstsq(a, b)));
  const spread = (x: Node) => add(x, mul(eye(2), mul(add(swapAxes(x), 4), x)));
  test("eigh", () => {
    check([[2, 2]], (x) => jacobi.eigh(spread(x)).eigenvalues);
    check([[2, 2]], (x) => {
      const { eigenvectors: v } = jacobi.eigh(spread(x));
      return einsum("ik,jk->kij", v, v);
    });
  });
  test("svd", () => {
    check([[2, 2]], (x) => jacobi.svd(spread(x)).s);
    check([[3, 2]], (x) => {
      const { u, vh } = jacobi.svd(x);
      return einsum("ik,kj->kij", u, vh);
    });
  });
  test("pinverse", () => check([[3, 2]], (x) => jacobi.pinverse(x)));
});

const x = (...shape: number[]) => sg.zeros(shape);
const wrong: readonly [string, () => unknown, RegExp, typeof ShapeError | typeof DTypeError][] = [
  ...["cholesky", "inverse", "det", "slogdet", "lu", "eigh"].map(
    (name): [string, () => unknown, RegExp, typeof ShapeError] => [
      `${name} of what isn't square`,
      () => (sg as unknown as Record<string, (x: sg.Tensor) => unknown>)[name](x(2, 3)),
      new RegExp(`^${name}: not a square matrix: got \\[2, 3\\], expected \\[\\.\\.\\., n, n\\].*\\nHint: of other`),
      ShapeError,
    ],
  ),
  ["a vector", () => x(3).qr(), /^qr: not a matrix: got \[3\]/, ShapeError],
  ["a vector's inverse", () => x(3).inverse(), /^inverse: not a square matrix: got \[3\]/, ShapeError],
  ["int32", () => x(2, 2).cast("int32").svd(), /^svd: dtypes don't fit: got int32, expected float32/, DTypeError],
  [
    "other rows",
    () => x(3, 3).solve(x(2)),
    /^solve: not as many right-hand sides as rows: got \[3, 3\] and \[2\]/,
    ShapeError,
  ],
  ["a scalar", () => x(3, 3).solve(sg.tensor(1)), /^solve: not as many right-hand sides/, ShapeError],
  ["int32 sides", () => x(2, 2).solve(x(2).cast("int32")), /^solve: dtypes don't fit/, DTypeError],
  ["batches", () => x(2, 3, 3).lstsq(x(4, 3, 1)), /^lstsq: /, ShapeError],
  ["half a power", () => x(2, 2).matrixPower(0.5), /^matrixPower: not a whole number of times: got 0.5/, ShapeError],
  [
    "no triangle",
    () => x(2, 2).triangularSolve(x(2), {} as never),
    /^triangularSolve.upper: missing/,
    sg.ConfigError as never,
  ],
];
test.each(wrong)("refused: %s", (_, call, message, type) => {
  expect(call).toThrow(type);
  expect(call).toThrow(message);
});
