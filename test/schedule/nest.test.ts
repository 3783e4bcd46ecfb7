// Nests that rules make of a kernel's axes: merged, in pairs, in tiles, cut at bounds. Each walks the same elements as the kernel's own axes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KernelInput } from "../../kernels/kernel.ts";
import { contiguousView } from "../../kernels/view.ts";
import { mergeAxes } from "../../src/schedule/merge.ts";
import type { Nest } from "../../src/schedule/nest.ts";
import { inPairs, inTiles, segments } from "../../src/schedule/split.ts";
import { anyView } from "../support/kernels.ts";

const view = (shape: readonly number[], strides: readonly number[], offset = 0) => ({
  shape,
  strides,
  offset,
  bounds: shape.map(() => null),
});

describe("a nest in pairs", () => {
  const shape = [3, 5, 2];
  const input = (strides: readonly number[]): KernelInput => ({
    source: 0,
    dtype: "float32",
    view: view(shape, strides),
  });
  const output = input([10, 2, 1]);

  test("two axes become one; what a single stride walks stays without pairs", () => {
    const nest = inPairs(mergeAxes(shape, [input([6, 1, 0]), input([20, 4, 2]), output]));
    expect(nest.extents.slice(-2)).toEqual([3, 10]);
    expect(nest.inputs.map(({ strides, pair }) => [strides.at(-1), pair])).toEqual([
      [1, 0],
      [2, undefined],
      [1, undefined],
    ]);
  });

  test("bounds on either axis, and other extents, leave it as it is", () => {
    const bounded = { ...input([5, 1, 0]), view: { ...view(shape, [5, 1, 0]), bounds: [null, [1, 5] as const, null] } };
    for (const nest of [
      mergeAxes(shape, [bounded, output]),
      mergeAxes(
        [3, 5, 4],
        [
          { ...output, view: view([3, 5, 4], [5, 1, 0]) },
          { ...output, view: contiguousView([3, 5, 4]) },
        ],
      ),
      mergeAxes(
        [2],
        [
          { ...output, view: view([2], [3]) },
          { ...output, view: contiguousView([2]) },
        ],
      ),
    ])
      expect(inPairs(nest)).toBe(nest);
  });
});

/** For each point of the nest, what its inputs read there: an element's index, or null outside of bounds. Points sorted by what the last input reads. */
function reads({ extents, inputs }: Nest): (number | null)[][] {
  const found: (number | null)[][] = [];
  const visit = (axis: number, point: number[]): void => {
    if (axis < extents.length) {
      for (let i = 0; i < extents[axis]; i++) visit(axis + 1, [...point, i]);
      return;
    }
    found.push(
      inputs.map(({ strides, bounds, offset, pair, never }) => {
        if (never || point.some((at, i) => bounds[i] && (at < bounds[i][0] || at >= bounds[i][1]))) return null;
        const last = point.length - 1;
        const along =
          pair === undefined
            ? point[last] * strides[last]
            : (point[last] >> 1) * strides[last] + (point[last] & 1) * pair;
        return offset + along + point.slice(0, last).reduce((sum, at, i) => sum + at * strides[i], 0);
      }),
    );
  };
  visit(0, []);
  return found.sort((a, b) => (a.at(-1) ?? 0) - (b.at(-1) ?? 0));
}

/** The kernel's own axes, one by one. */
const plain = (shape: readonly number[], inputs: readonly KernelInput[]): Nest => ({
  extents: shape,
  outer: 1,
  inputs: inputs.map(({ source, view: { strides, bounds, offset } }) => ({
    type: "float32",
    source,
    strides,
    bounds,
    offset,
    scale: 4,
    never: false,
  })),
});

describe("every nest walks the same elements", () => {
  test("as the axes that it was made of: merged, in pairs, in tiles", () => {
    const extent = fc.constantFrom(1, 2, 3, 5);
    fc.assert(
      fc.property(
        fc.array(extent, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(5000), { minLength: 60, maxLength: 60 }),
        (shape, numbers) => {
          let at = 0;
          const pick = (below: number) => numbers[at++ % numbers.length] % below;
          const inputs = [0, 1].map(
            (source): KernelInput => ({ source, dtype: "float32", view: anyView(shape, pick).view }),
          );
          const all = [...inputs, { source: 2, dtype: "float32" as const, view: contiguousView(shape) }];
          const expected = reads(plain(shape, all));
          const merged = mergeAxes(shape, all);
          expect(merged.extents.length).toBeLessThanOrEqual(Math.max(2, shape.length + 1));
          expect(reads(merged)).toEqual(expected);
          expect(reads(inPairs(merged))).toEqual(expected);
          expect(reads(inTiles(merged))).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("in tiles: where an input walks the last axis in long steps", () => {
    const shape = [128, 256];
    const turned = { source: 0, dtype: "float32" as const, view: view(shape, [1, 128]) };
    const written = { source: 1, dtype: "float32" as const, view: contiguousView(shape) };
    const nest = inTiles(mergeAxes(shape, [turned, written]));
    expect(nest.extents).toEqual([1, 8, 32, 16, 8]);
    expect(reads(nest)).toEqual(reads(plain(shape, [turned, written])));
    const straight = mergeAxes(shape, [written, written]);
    expect(inTiles(straight)).toBe(straight);
  });

  test("segments: in each, an axis' bounds hold for all of its points or for none", () => {
    const bounded = (low: number, high: number): KernelInput => ({
      source: 0,
      dtype: "float32",
      view: { ...view([20], [1]), bounds: [[low, high]] },
    });
    const nest = mergeAxes([20], [bounded(3, 17), bounded(0, 9), { ...bounded(0, 20), view: contiguousView([20]) }]);
    const found = segments(nest, nest.extents.length - 1);
    expect(found.map(({ begin, end }) => [begin, end])).toEqual([
      [0, 3],
      [3, 9],
      [9, 17],
      [17, 20],
    ]);
    expect(found.map(({ inside }) => inside)).toEqual([
      [false, true, true],
      [true, true, true],
      [true, false, true],
      [false, false, true],
    ]);
  });
});
