// Axes, parts, diagonals, grids and padding: corners that goldens don't have, gradients, and what is refused.
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import * as diagonals from "../../src/ops/diagonal.ts";
import * as ops from "../../src/ops/elementwise.ts";
import * as movement from "../../src/ops/movement.ts";
import * as padding from "../../src/ops/pad.ts";
import * as parts from "../../src/ops/parts.ts";
import { checkGradients } from "../support/gradients.ts";

beforeAll(() => sg.setDefaultBackend("reference"));

const x = (...shape: number[]) => sg.arange(shape.reduce((a, b) => a * b, 1)).reshape(shape);
const shapes = (parts: readonly sg.Tensor[]) => parts.map((part) => part.shape);

test("shapes at the edges: scalars, nothing, one point", async () => {
  expect(x().flatten().shape).toEqual([1]);
  expect(x().squeeze().shape).toEqual([]);
  expect(x().expandDims([0, 1]).shape).toEqual([1, 1]);
  expect(x().tile([2, 3]).shape).toEqual([2, 3]);
  expect(x().repeatInterleave(3).shape).toEqual([3]);
  expect(x().roll(5).shape).toEqual([]);
  expect(x(0, 3).flatten().shape).toEqual([0]);
  expect(x(0, 3).tile([2, 0]).shape).toEqual([0, 0]);
  expect(x(0, 3).roll(1, 0).shape).toEqual([0, 3]);
  expect(shapes(x(0, 3).chunk(2))).toEqual([[0, 3]]);
  expect(shapes(x(0, 3).unstack())).toEqual([]);
  expect(shapes(x(7).chunk(3))).toEqual([[3], [3], [1]]);
  expect(shapes(x(5).chunk(4))).toEqual([[2], [2], [1]]);
  expect(shapes(x(0).split([]))).toEqual([]);
  expect(await x(0).diag(2).array()).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(x(2, 3).diagonal({ offset: 7 }).shape).toEqual([0]);
  expect(x(2, 0).diagonal().shape).toEqual([0]);
  expect(await x(2, 3).trace({ offset: -5 }).item()).toBe(0);
  expect(sg.linspace(2, 3, 1).shape).toEqual([1]);
  expect(await sg.linspace(2, 3, 1).array()).toEqual([2]);
  expect(await sg.linspace(0, 1, 0).array()).toEqual([]);
});

test("triangles keep zeros' signs and drop NaN", async () => {
  const rough = sg.tensor([
    [-0, Number.NaN],
    [Number.NaN, -0],
  ]);
  expect(await rough.triu(2).array()).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect(await rough.tril(-1).at(1).array()).toEqual([Number.NaN, 0]);
  expect(await rough.triu().at(0, 0).item()).toBe(-0);
});

test("padding by own points", async () => {
  expect(
    await x(3)
      .pad([[2, 2]], "reflect")
      .array(),
  ).toEqual([2, 1, 0, 1, 2, 1, 0]);
  expect(
    await x(1)
      .pad([[2, 3]], "replicate")
      .array(),
  ).toEqual([0, 0, 0, 0, 0, 0]);
  expect(
    await x(2)
      .pad([[2, 2]], "circular")
      .array(),
  ).toEqual([0, 1, 0, 1, 0, 1]);
  expect(
    x(0, 2).pad(
      [
        [0, 0],
        [1, 1],
      ],
      "reflect",
    ).shape,
  ).toEqual([0, 4]);
});

test("grids", async () => {
  const [a, b] = sg.meshgrid([x(2), x(3)], { indexing: "ij" });
  expect([await a.array(), await b.array()]).toEqual([
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
  ]);
  expect(sg.meshgrid([x(2), x(3), x(4)], { indexing: "xy" }).map(({ shape }) => shape)).toEqual([
    [3, 2, 4],
    [3, 2, 4],
    [3, 2, 4],
  ]);
  expect(sg.zerosLike(x(2, 3)).dtype).toBe("int32");
  expect(await sg.onesLike(x(2), "float32").array()).toEqual([1, 1]);
  expect(await sg.logspace(0, 3, 4, 2).array()).toEqual([1, 2, 4, 8]);
});

describe("gradients and second gradients", () => {
  const cases: Record<string, [readonly number[], (node: sg.Tensor["node"]) => sg.Tensor["node"]]> = {
    split: [[5, 2], (node) => movement.concat(parts.split(node, [2, 3]).map((part, i) => ops.mul(part, i + 2)))],
    unstack: [[3, 2], (node) => parts.unstack(node, 1).reduce((a, b) => ops.mul(a, b))],
    tile: [[2, 3], (node) => parts.tile(node, [2, 2, 1])],
    repeatInterleave: [[2, 3], (node) => parts.repeatInterleave(node, 2, 1)],
    roll: [[3, 4], (node) => parts.roll(node, [1, -1], [0, 1])],
    rot90: [[2, 3], (node) => parts.rot90(node)],
    triu: [[3, 3], (node) => diagonals.triu(node, 1)],
    diag: [[3], (node) => diagonals.diag(node, 1)],
    diagonal: [[3, 2, 3], (node) => diagonals.diagonal(node, { axis1: 0, axis2: 2 })],
    trace: [[3, 3, 2], (node) => diagonals.trace(node)],
    "pad reflect": [
      [4, 3],
      (node) =>
        padding.pad(
          node,
          [
            [2, 1],
            [0, 2],
          ],
          "reflect",
        ),
    ],
    "pad replicate": [
      [2, 3],
      (node) =>
        padding.pad(
          node,
          [
            [2, 1],
            [0, 2],
          ],
          "replicate",
        ),
    ],
    "pad circular": [
      [2, 3],
      (node) =>
        padding.pad(
          node,
          [
            [2, 1],
            [0, 2],
          ],
          "circular",
        ),
    ],
  };
  test.each(Object.keys(cases))("%s", (name) => {
    const [shape, build] = cases[name];
    checkGradients([shape], (node) => ops.tanh(build(ops.mul(node, node))));
  });
});

const wrong: readonly [string, () => unknown, RegExp][] = [
  ["squeeze of a long axis", () => x(2, 3).squeeze(1), /^squeeze: axis 1 holds more than one point: got \[2, 3\]/],
  ["expandDims twice at one place", () => x(2).expandDims([0, 0]), /^expandDims: an axis is named twice/],
  ["expandDims too far", () => x(2).expandDims(3), /^expandDims: axis out of range/],
  ["moveAxis to fewer places", () => x(2, 3).moveAxis([0, 1], 0), /^moveAxis: not a place for each axis/],
  ["flatten backwards", () => x(2, 3).flatten(1, 0), /^flatten: the last axis stands before the first/],
  ["split that leaves some", () => x(5).split([2, 2]), /^split: the parts don't add up to the axis: got \[2, 2\] of 5/],
  ["split below 0", () => x(1).split([2, -1]), /^split: a part isn't a count: got -1/],
  ["chunk in none", () => x(5).chunk(0), /^chunk: the number of parts isn't a count/],
  ["unstack of a scalar", () => x().unstack(), /^unstack: axis out of range/],
  ["tile by half", () => x(2).tile([0.5]), /^tile: a number of repeats isn't a count/],
  ["repeatInterleave by less than nothing", () => x(2).repeatInterleave(-1), /^repeatInterleave: the number/],
  ["roll by fewer shifts than axes", () => x(2, 2).roll([1], [0, 1]), /^roll: not a shift for each axis/],
  ["rot90 in no plane", () => x(2, 2).rot90(1, [0, 0]), /^rot90: not a turn in a plane/],
  ["triu of a vector", () => x(3).triu(), /^triu: no diagonal there: got \[3\], offset 0/],
  ["diagonal of one axis", () => x(2, 2).diagonal({ axis1: 0, axis2: -2 }), /^diagonal: rows and columns on one axis/],
  [
    "diag of three axes",
    () => x(2, 2, 2).diag(),
    /^diag: neither a vector nor a matrix.*\nHint: diagonals of more axes/,
  ],
  ["trace of a vector", () => x(2).trace(), /^trace: no diagonal there/],
  ["meshgrid of a matrix", () => sg.meshgrid([x(2, 2)], { indexing: "ij" }), /^meshgrid: a grid is spanned by vectors/],
  ["linspace to no end", () => sg.linspace(0, Infinity, 3), /^linspace: not evenly spaced points/],
  ["logspace of a base below 0", () => sg.logspace(0, 1, 3, -2), /^logspace: base is out of range/],
  [
    "reflecting all points",
    () => x(3).pad([[3, 0]], "reflect"),
    /^pad: axis 0 has too few points for "reflect": got 3/,
  ],
  ["going round twice", () => x(3).pad([[0, 4]], "circular"), /^pad: axis 0 has too few points for "circular"/],
  ["an edge of nothing", () => x(0).pad([[1, 0]], "replicate"), /^pad: axis 0 has too few points for "replicate"/],
];
test.each(wrong)("%s is refused", (_, call, message) => {
  expect(call).toThrow(message);
});
