// Tensors: lazy, read async, printed as NumPy prints; errors at the caller's line.
import { beforeAll, describe, expect, test } from "vitest";
import { DTypeError, ShapeError } from "../../src/core/errors.ts";
import { grad, gradients, valueAndGrad } from "../../src/program/gradients.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import * as sg from "../../src/tensor/functions.ts";
import { Tensor } from "../../src/tensor/tensor.ts";

beforeAll(() => {
  manualSeed(0);
  return setDefaultBackend("reference");
});

describe("making and reading", () => {
  test("a host array, as a loader's batches hold: its shape and dtype, unless told otherwise; and numbers of float64", async () => {
    const host = { data: new Uint8Array([1, 0]), shape: [2, 1], dtype: "bool" } as const;
    expect([sg.tensor(host).dtype, sg.tensor(host).shape]).toEqual(["bool", [2, 1]]);
    expect(await sg.tensor(host).array()).toEqual([[true], [false]]);
    expect(await sg.tensor(host, "int32").array()).toEqual([[1], [0]]);
    expect(await sg.tensor(host, [1, 2]).array()).toEqual([[true, false]]);
    expect(() => sg.tensor({ ...host, shape: [3] })).toThrow(ShapeError);
    expect(() => sg.tensor({ ...host, dtype: "bol" as "bool" })).toThrow(/^tensor: the array's dtype isn't .*"bol"/);
    expect(await sg.tensor(new Float64Array([0.1])).array()).toEqual([Math.fround(0.1)]);
  });

  test("nested arrays, typed arrays, numbers", async () => {
    expect(
      await sg
        .tensor([
          [1, 2],
          [3, 4],
        ])
        .array(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(sg.tensor([true, false]).dtype).toBe("bool");
    expect(await sg.tensor([true, false]).array()).toEqual([true, false]);
    expect(sg.tensor(Int32Array.of(1, 2)).dtype).toBe("int32");
    expect(await sg.tensor(2.5).item()).toBe(2.5);
    expect(await sg.tensor(Float32Array.of(1, 2, 3, 4), { shape: [2, 2] }).array()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test("the data given is copied, and what is read is a copy", async () => {
    const source = Float32Array.of(1, 2);
    const x = sg.tensor(source);
    source[0] = 9;
    (await x.data())[1] = 9;
    expect(await x.array()).toEqual([1, 2]);
  });

  test("ragged nesting, wrong sizes, item of many", () => {
    expect(() => sg.tensor([[1, 2], [3]])).toThrow(ShapeError);
    expect(() => sg.tensor([1, 2, 3], { shape: [2] })).toThrow(ShapeError);
    expect(() => sg.tensor([0.5], { dtype: "int32" })).toThrow(DTypeError);
    expect(() => sg.tensor([1, 2]).item()).toThrow(ShapeError);
  });

  test("a value is computed once and kept", async () => {
    manualSeed(7);
    const x = sg.uniform([4]).add(1);
    const first = await x.data();
    const y = x.mul(2);
    expect(await y.data()).toEqual(first.map((value) => Math.fround(value * 2)));
    expect(await x.data()).toEqual(first);
  });

  test("disposing gives memory back; reading again computes again, to the same bits", async () => {
    manualSeed(7);
    const x = sg.normal([5]);
    const first = await x.data();
    x.dispose();
    expect(await x.data()).toEqual(first);
  });

  test("tensors drawn under two seeds meet in one graph", async () => {
    manualSeed(1);
    const a = sg.uniform([3]);
    manualSeed(2);
    const b = sg.uniform([3]);
    const sum = await a.add(b).data();
    manualSeed(1);
    const alone = await sg.uniform([3]).data();
    manualSeed(2);
    const other = await sg.uniform([3]).data();
    expect(sum).toEqual(alone.map((value, i) => Math.fround(value + other[i])));
  });

  test("one read in parallel with another", async () => {
    const x = sg.arange(10, undefined, { dtype: "float32" });
    const [a, b] = await Promise.all([x.sum().item(), x.max().item()]);
    expect([a, b]).toEqual([45, 9]);
  });
});

describe("methods", () => {
  test("every function of a first tensor is a method", async () => {
    const x = sg.tensor([
      [1, -2],
      [3, 4],
    ]);
    expect(await x.abs().sum({ axis: 0 }).array()).toEqual([4, 6]);
    expect(await x.transpose().array()).toEqual([
      [1, 3],
      [-2, 4],
    ]);
    expect(await x.slice([1]).array()).toEqual([3, 4]);
    expect(await x.matmul(x).array()).toEqual([
      [-5, -10],
      [15, 10],
    ]);
    expect(await x.greater(0).array()).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(Object.keys(sg.ops).filter((name) => name in Tensor.prototype).length).toBeGreaterThan(40);
  });

  test("errors name op and caller's line", () => {
    const x = sg.zeros([2, 3]);
    let error: ShapeError | undefined;
    try {
      x.add(sg.zeros([2, 4]));
    } catch (thrown) {
      error = thrown as ShapeError;
    }
    expect(error).toBeInstanceOf(ShapeError);
    expect(error!.message).toBe(
      "add: shapes don't broadcast: got [2, 3] and [2, 4], expected extents equal or 1, aligned at the last axis",
    );
    expect(error!.stack!.split("\n").find((line) => /^\s+at /.test(line))).toContain("tensor.test.ts");
    expect(x.add(1).node.made?.line).toContain("tensor.test.ts");
  });
});

describe("values that are given", () => {
  test("an array with its shape and dtype, which may be said otherwise", async () => {
    const array = { data: Int32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: "int32" } as const;
    expect(sg.tensor(array).toString()).toBe("[[1 2]\n [3 4]]");
    expect(sg.tensor(array, { dtype: "float32", shape: [4] }).toString()).toBe("[1. 2. 3. 4.]");
    array.data[0] = 9;
    expect(sg.tensor(array).toString()).toBe("[[9 2]\n [3 4]]");
    expect(() => sg.tensor({ ...array, shape: [3] })).toThrow(ShapeError);
  });

  test("bytes are bool's unless a dtype is given", () => {
    expect(() => sg.tensor(Uint8Array.of(255))).toThrow(/bool can't hold.*\nHint: .*tensor\(bytes, "int32"\)/);
    expect(sg.tensor(Uint8Array.of(255), "int32").toString()).toBe("[255]");
  });
});

describe("printing", () => {
  test.each([
    [
      sg.tensor([
        [1, 2, 3],
        [4, 5, 6.5],
      ]),
      "[[1.  2.  3. ]\n [4.  5.  6.5]]",
    ],
    [sg.tensor(3), "3."],
    [sg.tensor([]), "[]"],
    [sg.tensor([0.1, -0.25]), "[ 0.1  -0.25]"],
    [sg.tensor([1e-9, 1]), "[1.e-09 1.e+00]"],
    [sg.tensor([Number.NaN, Infinity, 1]), "[nan inf  1.]"],
    [sg.tensor(Int32Array.of(1, -20)), "[  1 -20]"],
    [sg.tensor([true, false]), "[ True False]"],
    [sg.tensor([[[1]], [[2]]]), "[[[1.]]\n\n [[2.]]]"],
    // Each digit after the point is the number's, and a line breaks where NumPy's does.
    [sg.tensor([1 / 3, 1e-5]), "[3.3333334e-01 9.9999997e-06]"],
    [sg.tensor([1e6, 1]), "[1.e+06 1.e+00]"],
  ])("%#", (x, expected) => {
    expect(x.toString()).toBe(expected);
  });

  test("lines break where NumPy's do", async () => {
    const rows = (await sg.arange(60).reshape([2, 30]).format()).split("\n");
    expect(rows.map((row) => row.length)).toEqual([73, 20, 73, 21]);
    expect(rows[1]).toBe("  24 25 26 27 28 29]");
  });

  test("long axes are cut, and what isn't read says so", async () => {
    expect(await sg.arange(2000).format()).toBe("[   0    1    2 ... 1997 1998 1999]");
    expect(sg.zeros([2]).add(1).toString()).toBe("tensor float32[2], not read yet: await t.format()");
  });
});

describe("grad", () => {
  test("first argument; all; gradients of gradients", async () => {
    const x = sg.tensor([1, 2, 3]);
    expect(await grad((t: Tensor) => t.mul(t).sum())(x).array()).toEqual([2, 4, 6]);
    const cube = (t: Tensor) => t.mul(t).mul(t).sum();
    expect(await grad((t: Tensor) => grad(cube)(t).sum())(x).array()).toEqual([6, 12, 18]);
    const { value, gradients: both } = valueAndGrad((a: Tensor, b: Tensor) => a.mul(b).sum())(x, x);
    expect(await value.item()).toBe(14);
    expect(await both[0].array()).toEqual([1, 2, 3]);
    expect(await both[1].array()).toEqual([1, 2, 3]);
  });

  test("what it can't do", () => {
    const x = sg.tensor([1, 2]);
    expect(() => gradients(x, [x])).toThrow(/isn't a scalar/);
    expect(() => gradients(x.sum(), [x.cast("int32")])).toThrow(/no gradient with respect to this dtype/);
    expect(() => grad((t: Tensor) => t.sum())(3 as unknown as Tensor)).toThrow(/isn't a tensor/);
    const each = grad((t: Tensor) => t.sum());
    expect(() => [x].map(each as never)).toThrow(/argument 1 isn't a tensor: got 0.*\nHint: .*map\(\(x\) => f\(x\)\)/);
  });
});
