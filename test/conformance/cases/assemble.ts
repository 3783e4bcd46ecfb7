// Pieces where they land: apart, over each other, by steps, with −0 among them; and the gradients of slices, which are made of these.
import { gradients } from "../../../src/autograd/grad.ts";
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import { assemble } from "../../../src/ops/assemble.ts";
import { broadcastTo } from "../../../src/ops/define.ts";
import * as elementwise from "../../../src/ops/elementwise.ts";
import * as movement from "../../../src/ops/movement.ts";
import { roundTo } from "../../../src/ops/precision.ts";
import * as reduce from "../../../src/ops/reduce.ts";
import { type Data, roughData, testData } from "../../support/graphs.ts";
import { type Computation, dtypes } from "./case.ts";

type Landed = readonly [piece: Shape, starts: readonly number[], steps?: readonly number[]];

/** Rough floats with zeros of both signs among them. */
function withZeros(shape: Shape, seed: number): Data {
  const found = roughData(shape, seed);
  const data = (found.data as Float32Array).map((x, i) => (i % 3 === 1 ? (i % 2 ? -0 : 0) : x));
  return { ...found, data };
}

const placesOf = (landed: readonly Landed[]) =>
  landed.map(([piece, starts, steps]) => ({ starts, steps: steps ?? piece.map(() => 1) }));

const layouts: readonly (readonly [string, Shape, readonly Landed[]])[] = [
  [
    "one piece",
    [5, 7],
    [
      [
        [2, 3],
        [1, 2],
      ],
    ],
  ],
  ["a scalar", [], [[[], []]]],
  ["one point", [4], [[[1], [2]]]],
  [
    "no piece of any size",
    [3, 2],
    [
      [
        [0, 2],
        [0, 0],
      ],
    ],
  ],
  [
    "pieces apart that cover all",
    [6, 9],
    [
      [
        [6, 4],
        [0, 0],
      ],
      [
        [2, 5],
        [0, 4],
      ],
      [
        [4, 5],
        [2, 4],
      ],
    ],
  ],
  [
    "pieces apart that leave some out",
    [40, 33],
    [
      [
        [8, 33],
        [0, 0],
      ],
      [
        [8, 20],
        [8, 5],
      ],
      [
        [20, 1],
        [20, 32],
      ],
    ],
  ],
  [
    "pieces over each other",
    [9, 20],
    [
      [
        [5, 20],
        [0, 0],
      ],
      [
        [5, 20],
        [3, 0],
      ],
      [
        [9, 3],
        [0, 6],
      ],
      [
        [1, 20],
        [4, 0],
      ],
    ],
  ],
  [
    "all of it first",
    [7, 40],
    [
      [
        [7, 40],
        [0, 0],
      ],
      [
        [7, 10],
        [0, 3],
      ],
      [
        [7, 10],
        [0, 20],
      ],
      [
        [3, 40],
        [2, 0],
      ],
    ],
  ],
  [
    "all of it last",
    [7, 40],
    [
      [
        [7, 10],
        [0, 3],
      ],
      [
        [3, 40],
        [2, 0],
      ],
      [
        [7, 40],
        [0, 0],
      ],
    ],
  ],
  [
    "all of it in between",
    [7, 40],
    [
      [
        [7, 10],
        [0, 3],
      ],
      [
        [7, 40],
        [0, 0],
      ],
      [
        [3, 40],
        [2, 0],
      ],
    ],
  ],
  [
    "by steps, side by side",
    [20, 6],
    [
      [
        [10, 6],
        [0, 0],
        [2, 1],
      ],
      [
        [10, 6],
        [1, 0],
        [2, 1],
      ],
    ],
  ],
  [
    "by steps, some together",
    [30],
    [
      [[10], [0], [3]],
      [[15], [0], [2]],
      [[6], [1], [5]],
    ],
  ],
  [
    "backwards",
    [9, 9],
    [
      [
        [9, 9],
        [8, 0],
        [-1, 1],
      ],
      [
        [4, 4],
        [7, 8],
        [-2, -2],
      ],
      [
        [9, 1],
        [8, 4],
        [-1, 1],
      ],
    ],
  ],
  [
    "columns",
    [33, 5],
    [0, 1, 2, 3, 4].map(
      (column): Landed => [
        [33, 1],
        [0, column],
      ],
    ),
  ],
  [
    "rows, many",
    [100, 17],
    Array.from(
      { length: 100 },
      (_, row): Landed => [
        [1, 17],
        [99 - row, 0],
      ],
    ),
  ],
  [
    "the same place again and again",
    [6, 40],
    Array.from(
      { length: 40 },
      (): Landed => [
        [2, 33],
        [1, 3],
      ],
    ),
  ],
  [
    "three axes",
    [4, 6, 50],
    [
      [
        [4, 3, 50],
        [0, 0, 0],
      ],
      [
        [2, 6, 20],
        [1, 0, 17],
      ],
      [
        [4, 1, 50],
        [0, 5, 0],
      ],
    ],
  ],
];

/** Gradients of the sum of weighed slices, so that each contributes something else. */
function slicesOf(specs: readonly (readonly movement.SliceSpec[])[], beside?: (x: Node) => Node): Computation["build"] {
  return (x, weights) => {
    const terms = specs.map((spec) => elementwise.mul(movement.slice(x, spec), movement.slice(weights, spec)));
    const all = beside ? [...terms.slice(0, 2), beside(x), ...terms.slice(2)] : terms;
    const total = all.map((term) => reduce.sum(term)).reduce((a, b) => elementwise.add(a, b));
    return gradients(total, [x])[0];
  };
}

export function assembleCases(): Computation[] {
  const x = withZeros([12, 9], 3);
  const inputs = [x, withZeros([12, 9], 5)];
  const rows = Array.from({ length: 12 }, (_, row) => [row] as const);
  const ranges = [[[0, 8]], [[4, 12]], [null, [2, 7]], [[0, 12, 3]], [[11, -Infinity, -2], 4]] as const;
  return [
    ...layouts.map(
      ([name, shape, landed]): Computation => ({
        name: `assemble ${name}`,
        inputs: landed.map(([piece], i) => withZeros(piece, i + 1)),
        build: (...pieces) => assemble(pieces, placesOf(landed), shape),
      }),
    ),
    ...dtypes.map(
      (dtype): Computation => ({
        name: `assemble of ${dtype}`,
        inputs: [testData([3, 5], dtype), testData([3, 20], dtype, [0, 4], 2)],
        build: (a, b) =>
          assemble(
            [a, b],
            placesOf([
              [
                [3, 5],
                [0, 20],
              ],
              [
                [3, 20],
                [1, 0],
              ],
            ]),
            [4, 26],
          ),
      }),
    ),
    {
      name: "assemble int32 pieces over each other: they wrap",
      inputs: [1, 2].map((seed) => testData([30], "int32", [2 ** 30, 2 ** 31 - 1], seed)),
      build: (a, b) =>
        assemble(
          [a, b],
          placesOf([
            [[30], [0]],
            [[30], [11]],
          ]),
          [50],
        ),
    },
    {
      name: "assemble of views and expressions",
      inputs: [roughData([8, 20], 1), roughData([20, 8], 2), roughData([1, 8], 3)],
      build: (a, b, c) => {
        const pieces = [movement.flip(a, 1), movement.transpose(b), broadcastTo(movement.transpose(c), [8, 20])];
        const places = placesOf([
          [
            [8, 20],
            [0, 0],
          ],
          [
            [8, 20],
            [4, 5],
          ],
          [
            [8, 20],
            [8, 20],
          ],
        ]);
        return assemble(
          [...pieces, elementwise.exp(movement.slice(a, [[0, 2]]))],
          [...places, { starts: [3, 3], steps: [5, 1] }],
          [16, 40],
        );
      },
    },
    ...(["bfloat16", "float16"] as const).map(
      (format): Computation => ({
        name: `assemble of ${format}, apart and over each other`,
        inputs: [roughData([6, 20], 1), roughData([6, 20], 2)],
        build: (a, b) => {
          const pieces = [roundTo(a, format), roundTo(b, format)];
          const apart = assemble(
            pieces,
            placesOf([
              [
                [6, 20],
                [0, 0],
              ],
              [
                [6, 20],
                [6, 4],
              ],
            ]),
            [12, 25],
          );
          const over = assemble(
            pieces,
            placesOf([
              [
                [6, 20],
                [0, 0],
              ],
              [
                [6, 20],
                [3, 4],
              ],
            ]),
            [12, 25],
          );
          return elementwise.add(elementwise.mul(apart, 2), over);
        },
      }),
    ),
    { name: "gradient of every row", inputs, build: slicesOf(rows) },
    { name: "gradient of slices over each other", inputs, build: slicesOf(ranges) },
    {
      name: "gradient of slices and of a sum between them",
      inputs,
      build: slicesOf(ranges, (x) => elementwise.exp(x)),
    },
    {
      name: "gradient of slices of a transpose, and of the tensor itself",
      inputs,
      build: (a, weights) => {
        const parts = [0, 3, 8].map((row) => movement.slice(movement.transpose(a), [row]));
        const total = elementwise.add(reduce.sum(elementwise.mul(a, weights)), reduce.sum(movement.stack(parts)));
        return gradients(total, [a])[0];
      },
    },
    {
      name: "gradients of a join",
      inputs: [roughData([4, 3], 1), roughData([4, 6], 2), roughData([4, 1], 3), roughData([4, 10], 4)],
      build: (a, b, c, weights) => {
        const joined = elementwise.mul(movement.concat([a, b, c], 1), weights);
        const found = gradients(reduce.sum(joined), [a, b, c]);
        return movement.concat(found.map((part) => movement.reshape(part, [-1])));
      },
    },
  ];
}
