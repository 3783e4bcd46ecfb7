// x.at against an oracle that finds every element by itself, on random shapes and indices; gradients; and what is refused.
import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError, TraceError } from "../../src/core/errors.ts";
import * as sg from "../../src/index.ts";
import { fromValues } from "../../src/ops/creation.ts";
import * as ops from "../../src/ops/elementwise.ts";
import { at, type Index, takeAlongAxis } from "../../src/ops/indexing.ts";
import { checkGradients } from "../support/gradients.ts";
import { testWords } from "../support/graphs.ts";

beforeAll(() => sg.setDefaultBackend("reference"));

interface Nested {
  readonly shape: readonly number[];
  readonly at: (point: readonly number[]) => number;
}
type Points = { readonly shape: readonly number[]; readonly data: readonly number[] };
type Item = number | null | "..." | { start?: number; stop?: number; step?: number } | Points;

const isPoints = (item: Item): item is Points => typeof item === "object" && item !== null && "data" in item;
const sizeOf = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

function pointsOf(shape: readonly number[]): number[][] {
  if (shape.length === 0) return [[]];
  const [first, ...rest] = shape;
  return Array.from({ length: first }, (_, i) => pointsOf(rest).map((point) => [i, ...point])).flat();
}

/** Python's range(*slice(start, stop, step).indices(extent)), as its documentation words it. */
function rangeOf(
  { start, stop, step = 1 }: { start?: number; stop?: number; step?: number },
  extent: number,
): number[] {
  const bound = (value: number | undefined, otherwise: number) => {
    if (value === undefined) return otherwise;
    const counted = value < 0 ? value + extent : value;
    return step > 0 ? Math.min(Math.max(counted, 0), extent) : Math.min(Math.max(counted, -1), extent - 1);
  };
  const [from, to] = [bound(start, step > 0 ? 0 : extent - 1), bound(stop, step > 0 ? extent : -1)];
  const found: number[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) found.push(i);
  return found;
}

/** The element of a list of points that broadcasting puts at a point. */
function broadcast({ shape, data }: Points, point: readonly number[]): number {
  const own = point.slice(point.length - shape.length);
  return data[shape.reduce((row, extent, axis) => row * extent + (extent === 1 ? 0 : own[axis]), 0)];
}

/** What NumPy's indexing gives, element by element. */
function oracle(x: Nested, given: readonly Item[]): { shape: number[]; data: number[] } {
  const used = given.filter((item) => item !== null && item !== "...").length;
  const whole = new Array<Item>(x.shape.length - used).fill({});
  const dots = given.indexOf("...");
  const items = dots < 0 ? [...given, ...whole] : [...given.slice(0, dots), ...whole, ...given.slice(dots + 1)];
  const lists = items.filter(isPoints);
  const advanced = (item: Item) => isPoints(item) || (lists.length > 0 && typeof item === "number");
  const rank = Math.max(0, ...lists.map(({ shape }) => shape.length));
  const common = Array.from({ length: rank }, (_, i) => {
    const extents = lists.map(({ shape }) => shape[shape.length - rank + i] ?? 1);
    return extents.find((extent) => extent !== 1) ?? 1;
  });
  const marks = items.map((item) => (advanced(item) ? "a" : typeof item === "number" ? "" : "b")).join("");
  const before = /^b*a+b*$/.test(marks) ? marks.indexOf("a") : 0;
  let axis = 0;
  const axes = items.map((item) => (item === null ? -1 : axis++));
  const kept = items.flatMap((item, i) => {
    if (advanced(item) || typeof item === "number") return [];
    return item === null ? [[0]] : [rangeOf(item as object, x.shape[axes[i]])];
  });
  const shape = [
    ...kept.slice(0, before).map(({ length }) => length),
    ...common,
    ...kept.slice(before).map(({ length }) => length),
  ];
  const data = pointsOf(shape).map((point) => {
    const listed = point.slice(before, before + rank);
    const others = [...point.slice(0, before), ...point.slice(before + rank)];
    let next = 0;
    const source: number[] = [];
    items.forEach((item, i) => {
      const extent = x.shape[axes[i]];
      if (typeof item === "number") source.push(item < 0 ? item + extent : item);
      else if (item !== null && isPoints(item)) {
        const index = broadcast(item, listed);
        source.push(index < 0 ? index + extent : index);
      } else {
        const place = kept[next][others[next]];
        next++;
        if (item !== null) source.push(place);
      }
    });
    return x.at(source);
  });
  return { shape, data };
}

/** A random shape and indices for it: some of them empty. */
function randomCase(next: () => number): { shape: number[]; items: Item[] } {
  const below = (count: number) => next() % count;
  const shape = Array.from({ length: below(7) }, () => [0, 1, 1, 2, 2, 3, 3, 4][below(8)]);
  const common = [[2], [3, 2], [2, 1, 2], [0], []][below(5)];
  const items: Item[] = [];
  const dots = below(2) ? below(shape.length + 1) : -1;
  shape.forEach((extent, axis) => {
    if (axis === dots) items.push("...");
    if (below(6) === 0) items.push(null);
    if (axis === dots && below(2) === 0) return;
    const choice = below(10);
    if (choice < 3 && extent > 0) items.push(below(2 * extent) - extent);
    else if (choice < 6 && extent > 0) {
      const own = [common, common.map(() => 1), common.slice(1), []][below(4)];
      items.push({ shape: own, data: Array.from({ length: sizeOf(own) }, () => below(2 * extent) - extent) });
    } else {
      const end = () => (below(3) ? below(2 * extent + 5) - extent - 2 : undefined);
      items.push({ start: end(), stop: end(), step: [undefined, 1, 2, -1, -2, -3][below(6)] });
    }
  });
  // Without "..." every axis has its index; with it one may lack. The rest may be left to be whole.
  if (dots < 0 && below(3) === 0) items.length = below(items.length + 1);
  return { shape, items };
}

describe("x.at", () => {
  test.each([1, 2, 3, 4])("of random shapes and indices is the oracle's, seed %i", async (seed) => {
    const next = testWords(seed);
    for (let trial = 0; trial < 60; trial++) {
      const { shape, items } = randomCase(next);
      const indices = items.map((item) =>
        item !== null && isPoints(item) ? sg.tensor(Int32Array.from(item.data), { shape: item.shape }) : item,
      );
      const flat = (point: readonly number[]) => point.reduce((row, i, axis) => row * shape[axis] + i, 0);
      const expected = oracle({ shape, at: flat }, items);
      const out = sg
        .arange(sizeOf(shape))
        .reshape(shape)
        .at(...indices);
      const what = `${JSON.stringify(shape)} at ${JSON.stringify(items)}`;
      expect([what, out.shape]).toEqual([what, expected.shape]);
      expect([what, ...(await out.data())]).toEqual([what, ...expected.data]);
    }
  });

  const int = (values: number | number[] | number[][]) => fromValues(values, "int32");
  test.each<[string, readonly number[], readonly Index[]]>([
    ["ranges", [5, 4], ["4:0:-2", "1:"]],
    ["a number", [3, 4], [-1]],
    ["points that repeat", [4, 2], [int([0, 3, 0, -1])]],
    ["points of two axes", [3, 2, 3], [int([[0], [2]]), ":", int([0, 0, -1])]],
    ["points beside a range", [2, 4, 2], [":", int([1, 1, 0]), "::-1"]],
  ])("gradients of %s", (_, shape, indices) => {
    checkGradients([shape], (x) => ops.tanh(at(x, ...indices)));
  });

  test("a gradient lands where elements were read, those read twice twice", async () => {
    const x = sg.zeros([2, 3]);
    const loss = x.at(":", sg.tensor([2, 0, 2], "int32")).sum();
    expect(await sg.gradients(loss, [x])[0].array()).toEqual([
      [1, 0, 2],
      [1, 0, 2],
    ]);
  });

  test("an index out of range in a tensor is an error when run, on each axis", async () => {
    const x = sg.zeros([2, 3]);
    const rows = (...values: number[]) => sg.tensor(values, "int32");
    for (const out of [
      x.at(rows(2)),
      x.at(rows(-3)),
      x.at(rows(0), rows(3)),
      x.at(rows(0), rows(-4)),
      x.at(1, rows(3)),
    ])
      await expect(out.data()).rejects.toThrow(ShapeError);
  });

  const wrong: readonly [string, (x: sg.Tensor) => unknown, RegExp][] = [
    [
      "more indices than axes",
      (x) => x.at(0, 0, 0),
      /^at: more indices than axes: got 3, expected at most 2 for \[2, 3\]/,
    ],
    ['"..." twice', (x) => x.at("...", "..."), /^at: more than one "..."/],
    ["a number out of range", (x) => x.at(":", 3), /^at: index out of range on axis 1: got 3/],
    ["a fraction", (x) => x.at(0.5), /^at: index out of range on axis 0/],
    ["a step of 0", (x) => x.at("::0"), /^at: not a range/],
    ["a step of half", (x) => x.at({ step: 0.5 }), /^at: not a range/],
    ["a text that is no range", (x) => x.at("1"), /^at: not a range: got "1"/],
    [
      "points that don't broadcast",
      (x) => x.at(sg.zeros([2], "int32"), sg.zeros([3], "int32")),
      /^at: shapes don't broadcast/,
    ],
    ["points that are floats", (x) => x.at(sg.zeros([2])), /^at: indices aren't int32.*\nHint: cast first/],
    ["a key that is none", (x) => x.at({ end: 1 } as object), /^at.end: unknown key/],
  ];
  test.each(wrong)("%s is refused", (_, call, message) => {
    expect(() => call(sg.zeros([2, 3]))).toThrow(message);
  });
});

describe("takeAlongAxis", () => {
  test("reads what argmax found, and the others broadcast", async () => {
    const x = sg.tensor([
      [3, 1, 2],
      [4, 6, 5],
    ]);
    const best = x.argmax({ axis: 1, keepDims: true });
    expect(await x.takeAlongAxis(best, 1).array()).toEqual([[3], [6]]);
    expect(await x.takeAlongAxis(sg.tensor([[-1, 0]], "int32"), 1).array()).toEqual([
      [2, 3],
      [5, 4],
    ]);
    expect(await x.at("0:1").takeAlongAxis(best, 1).array()).toEqual([[3], [1]]);
  });

  test("has gradients", () => {
    const indices = fromValues([[0, 2, 2]], "int32");
    checkGradients([[2, 3]], (x) => ops.tanh(takeAlongAxis(ops.mul(x, x), indices, 1)));
  });

  test("other ranks are refused", () => {
    expect(() => sg.zeros([2, 3]).takeAlongAxis(sg.zeros([2], "int32"), 1)).toThrow(/^takeAlongAxis: ranks differ/);
    expect(() => sg.zeros([2, 3]).takeAlongAxis(sg.zeros([3, 1], "int32"), 1)).toThrow(/shapes don't broadcast/);
    expect(() => sg.zeros([2, 3]).takeAlongAxis(sg.zeros([2, 1]), 1)).toThrow(/^takeAlongAxis: indices aren't int32/);
  });
});

describe("nonzero", () => {
  test("is where a mask holds, and reads it back with a gradient", async () => {
    const x = sg.tensor([
      [1, -2, 0],
      [-4, Number.NaN, 6],
    ]);
    const places = await x.greater(0).nonzero();
    expect(await Promise.all(places.map((each) => each.array()))).toEqual([
      [0, 1],
      [0, 2],
    ]);
    const kept = x.at(...places);
    expect(await kept.array()).toEqual([1, 6]);
    expect(await sg.gradients(kept.sum(), [x])[0].array()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(await (await x.nonzero())[1].array()).toEqual([0, 1, 0, 1, 2]);
    expect((await sg.zeros([2, 2]).nonzero()).map(({ shape, dtype }) => [shape, dtype])).toEqual([
      [[0], "int32"],
      [[0], "int32"],
    ]);
  });

  test("is refused of a scalar, and while tracing", async () => {
    expect(() => sg.tensor(1).nonzero()).toThrow(ShapeError);
    const compiled = sg.compile((x: sg.Tensor) => {
      void x.nonzero();
      return x;
    });
    await expect(async () => compiled(sg.ones([2]))).rejects.toThrow(TraceError);
  });
});
