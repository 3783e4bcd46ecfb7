// Matrix products around the borders of chunks and tiles, batched, transposed, empty.
import type { Shape } from "../../../src/core/shape.ts";
import * as elementwise from "../../../src/ops/elementwise.ts";
import { matmul } from "../../../src/ops/matmul.ts";
import * as movement from "../../../src/ops/movement.ts";
import * as padding from "../../../src/ops/pad.ts";
import { arrayOf, type Data, roughData } from "../../support/graphs.ts";
import type { Computation } from "./case.ts";

export function matmulCases(): Computation[] {
  const cases: Computation[] = [];
  const add = (name: string, a: Data, b: Data, build: Computation["build"] = matmul) =>
    cases.push({ name: `matmul ${name}`, inputs: [a, b], build });
  const pair = (a: Shape, b: Shape) => add(`[${a}] · [${b}]`, roughData(a, 1), roughData(b, 2));
  for (const depth of [0, 1, 2, 3, 16, 255, 256, 257, 300, 511, 512, 513, 800]) pair([3, depth], [depth, 5]);
  for (const [rows, columns] of [
    [1, 1],
    [1, 9],
    [9, 1],
    [4, 8],
    [7, 13],
    [16, 16],
    [33, 17],
    [0, 3],
    [3, 0],
  ]) {
    pair([rows, 11], [11, columns]);
  }
  pair([5], [5]);
  pair([5], [5, 3]);
  pair([4, 5], [5]);
  pair([2, 3, 4], [4, 5]);
  pair([2, 3, 4], [2, 4, 5]);
  pair([3, 4], [2, 4, 5]);
  pair([2, 1, 3, 4], [3, 4, 2]);
  pair([1, 2, 3, 4], [5, 1, 4, 2]);
  pair([2, 0, 3, 4], [4, 2]);
  pair([0, 3, 4], [0, 4, 5]);
  pair([2, 3, 4], [4]);
  add("transposed left", roughData([300, 6]), roughData([300, 4]), (a, b) => matmul(movement.transpose(a), b));
  add("transposed right", roughData([6, 270]), roughData([4, 270]), (a, b) => matmul(a, movement.transpose(b)));
  add("both transposed", roughData([7, 6]), roughData([4, 7]), (a, b) =>
    matmul(movement.transpose(a), movement.transpose(b)),
  );
  add("of strided slices", roughData([9, 12]), roughData([12, 8]), (a, b) =>
    matmul(
      movement.slice(a, [
        [8, 0, -2],
        [1, 11, 2],
      ]),
      movement.slice(b, [
        [5, 10],
        [0, 8, 3],
      ]),
    ),
  );
  add("of padded operands", roughData([2, 3]), roughData([3, 2]), (a, b) =>
    matmul(
      padding.pad(a, [
        [1, 0],
        [0, 2],
      ]),
      padding.pad(
        b,
        [
          [1, 1],
          [0, 1],
        ],
        2,
      ),
    ),
  );
  add("of expressions", roughData([4, 6]), roughData([6, 3]), (a, b) =>
    matmul(elementwise.neg(a), elementwise.mul(b, 3)),
  );
  const special = (values: number[], shape: Shape): Data => ({
    dtype: "float32",
    shape,
    data: arrayOf("float32", values),
  });
  add(
    "of infinities, NaN, zeros of both signs and subnormals",
    special([Infinity, 0, -0, 1e-30, NaN, 1, 3e38, 3e38, -1e-25, -0, 0, 1], [4, 3]),
    special([0, 1, -0, 1e-20, -Infinity, 2, -3, -0, 1e-18], [3, 3]),
  );
  add("whose products cancel", special([1, 1e8, 1, -1e8], [1, 4]), special([1, 1, 1, 1], [4, 1]));
  return cases;
}
