// Composites that move elements: axes, parts, repeats, diagonals, padding by a tensor's own points, and indexing. Each meets an elementwise op, as in
// a program: what moves is then read inside another kernel, or written first.
import type { DType } from "../../../src/core/dtype.ts";
import { type Shape, sizeOf } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import * as axes from "../../../src/ops/axes.ts";
import { fromValues } from "../../../src/ops/creation.ts";
import * as diagonals from "../../../src/ops/diagonal.ts";
import * as elementwise from "../../../src/ops/elementwise.ts";
import * as grid from "../../../src/ops/grid.ts";
import * as indexing from "../../../src/ops/indexing.ts";
import * as movement from "../../../src/ops/movement.ts";
import * as padding from "../../../src/ops/pad.ts";
import * as parts from "../../../src/ops/parts.ts";
import { roughData, testData } from "../../support/graphs.ts";
import type { Computation } from "./case.ts";

const { mul } = elementwise;
const int = (...values: number[]) => fromValues(values, "int32");
const odd = (parts: readonly Node[], axis = 0) =>
  movement.concat(
    parts.map((part, i) => mul(part, i + 1.5)),
    axis,
  );
const sides = (mode: padding.Padding) => (x: Node) =>
  padding.pad(
    x,
    x.shape.map((extent, axis) => [Math.min(axis % 2, Math.max(extent - 1, 0)), Math.max(0, Math.min(extent - 1, 2))]),
    mode,
  );

const moves: Readonly<Record<string, (x: Node) => Node>> = {
  "squeeze and expandDims": (x) => axes.squeeze(axes.expandDims(x, [0, -1]), [0, -1]),
  flatten: (x) => axes.flatten(x),
  tile: (x) => parts.tile(x, [2, ...x.shape.map(() => 2)]),
  "repeatInterleave by counts": (x) =>
    parts.repeatInterleave(
      x,
      Array.from({ length: sizeOf(x.shape) }, (_, i) => i % 3),
    ),
  "repeatInterleave of all": (x) => parts.repeatInterleave(x, 3),
  "roll of all": (x) => parts.roll(x, 2),
  "fullLike beside": (x) => elementwise.add(grid.fullLike(x, 0.5), x),
  "at, all of it": (x) => indexing.at(x, null, "...", null),
  "pad replicate": sides("replicate"),
  "pad reflect": sides("reflect"),
  "pad circular": sides("circular"),
};
const along: Readonly<Record<string, (x: Node, axis: number) => Node>> = {
  moveAxis: (x, axis) => axes.moveAxis(x, axis, -1),
  chunk: (x, axis) => odd(parts.chunk(x, 3, axis), axis),
  unstack: (x, axis) =>
    odd(
      parts.unstack(x, axis).map((part) => axes.expandDims(part, axis)),
      axis,
    ),
  repeatInterleave: (x, axis) => parts.repeatInterleave(x, 2, axis),
  roll: (x, axis) => parts.roll(x, -3, axis),
  "at, backwards": (x, axis) => indexing.at(x, ...new Array(axis).fill(":"), "::-2", "..."),
  "at, by points": (x, axis) => indexing.at(x, ...new Array(axis).fill(":"), int(-1, 0, 0, -1)),
  takeAlongAxis: (x, axis) =>
    indexing.takeAlongAxis(
      x,
      axes.expandDims(
        int(0, -1, 0),
        x.shape.flatMap((_, i) => (i === axis ? [] : [i])),
      ),
      axis,
    ),
};
const planes: Readonly<Record<string, (x: Node) => Node>> = {
  rot90: (x) => parts.rot90(x, 1, [-2, -1]),
  "rot90, thrice": (x) => parts.rot90(x, 3),
  triu: (x) => diagonals.triu(x),
  "tril, below": (x) => diagonals.tril(x, -1),
  diagonal: (x) => diagonals.diagonal(x, { axis1: -1, axis2: 0, offset: 1 }),
  trace: (x) => diagonals.trace(x),
  "at, two by points": (x) => indexing.at(x, fromValues([[0], [-1]], "int32"), int(0, -1, 0)),
  "at, points apart": (x) => indexing.at(x, int(0, -1), null, fromValues([[0], [-1]], "int32")),
  "at, points beside a number": (x) => indexing.at(x, 0, int(0, -1, -1), "..."),
};
const vectors: Readonly<Record<string, (x: Node) => Node>> = {
  "diag of a vector": (x) => diagonals.diag(x, -1),
  meshgrid: (x) => elementwise.sub(...(grid.meshgrid([x, mul(x, 3)], { indexing: "xy" }) as [Node, Node])),
};

/** Ranks 0 to 6, sizes 0, 1 and odd ones. */
const shapes: readonly Shape[] = [
  [],
  [1],
  [17],
  [0],
  [3, 5],
  [1, 1],
  [0, 3],
  [2, 1, 3],
  [2, 3, 1, 2],
  [1, 2, 1, 3, 2],
  [2, 1, 2, 1, 2, 3],
];

export function arrangementCases(): Computation[] {
  const cases: Computation[] = [];
  const add = (name: string, shape: Shape, build: (x: Node) => Node) => {
    cases.push({ name: `${name} of [${shape}]`, inputs: [roughData(shape)], build: (x) => mul(build(x), 1.5) });
  };
  for (const shape of shapes) {
    const [rank, filled] = [shape.length, shape.every((extent) => extent > 0)];
    const empty = (name: string) => !filled && /^at, .*point|Along|^pad|^unstack/.test(name);
    for (const [name, build] of Object.entries(moves)) if (!empty(name)) add(name, shape, build);
    for (const [name, build] of Object.entries(along))
      for (const axis of new Set(rank ? [0, rank - 1] : []))
        if (!empty(name)) add(`${name} along ${axis}`, shape, (x) => build(x, axis));
    for (const [name, build] of Object.entries(planes)) if (rank >= 2 && !empty(name)) add(name, shape, build);
    for (const [name, build] of Object.entries(vectors)) if (rank === 1) add(name, shape, build);
  }
  add("at, points read from a view", [9, 8], (x) => indexing.at(movement.transpose(x), "::-1", int(8, 0, -3)));
  add("roll of a view, padded", [33, 31], (x) => sides("circular")(parts.roll(movement.transpose(x), 5, 1)));
  add("triu of 1025", [3, 1025], (x) => diagonals.triu(x, 1000));
  for (const dtype of ["int32", "bool", "uint32"] as DType[]) {
    cases.push({
      name: `parts and points of ${dtype}`,
      inputs: [testData([5, 7], dtype, [0, 99])],
      build: (x) => {
        const [a, b] = parts.split(diagonals.tril(sides("reflect")(x)), [2, 5]);
        return elementwise.where(
          fromValues([true, false, true, false, true], "bool"),
          indexing.at(a, int(1, 0, 0, -1, 1, 0), ":5"),
          parts.roll(indexing.at(parts.tile(b, [2, 1]), ":6", "4::-1"), 1, 1),
        );
      },
    });
  }
  cases.push(
    { name: "linspace", inputs: [], build: () => mul(grid.linspace(0, 1, 17), 3) },
    { name: "logspace", inputs: [], build: () => mul(grid.logspace(-2, 2, 5), 3) },
  );
  return cases;
}
