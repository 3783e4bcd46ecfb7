// Convolutions, pooling and resampling, with their gradients, over odd extents, one-point extents, empty batches and views.
import { gradients } from "../../../src/autograd/grad.ts";
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import * as conv from "../../../src/ops/conv.ts";
import { mul } from "../../../src/ops/elementwise.ts";
import { interpolate, pixelShuffle, pixelUnshuffle } from "../../../src/ops/interpolate.ts";
import * as movement from "../../../src/ops/movement.ts";
import * as pool from "../../../src/ops/pool.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { type Computation, floats } from "./case.ts";

/** The value, and the gradients of the sum of its squares, one after another. */
const withGradients =
  (build: (...inputs: Node[]) => Node) =>
  (...inputs: Node[]): Node => {
    const y = build(...inputs);
    const found = gradients(sum(mul(y, y)), inputs);
    return movement.concat([y, ...found].map((x) => movement.reshape(x, [-1])));
  };

export function imageCases(): Computation[] {
  const cases: [string, Shape[], (...inputs: Node[]) => Node][] = [
    ["conv1d", [[2, 3, 17], [5, 3, 3], [5]], (x, w, b) => conv.conv1d(x, w, b, { padding: "same", dilation: 2 })],
    [
      "conv1d, long",
      [
        [1, 1, 1025],
        [2, 1, 5],
      ],
      (x, w) => conv.conv1d(x, w, undefined, { stride: 3 }),
    ],
    [
      "conv1d, depthwise",
      [
        [3, 5, 17],
        [10, 1, 3],
      ],
      (x, w) => conv.conv1d(x, w, undefined, { padding: 1, groups: 5 }),
    ],
    [
      "conv2d in groups",
      [[2, 4, 7, 5], [6, 2, 3, 2], [6]],
      (x, w, b) => conv.conv2d(x, w, b, { stride: [2, 1], padding: [0, 1], dilation: [1, 3], groups: 2 }),
    ],
    [
      "conv2d, depthwise",
      [[2, 3, 17, 9], [3, 1, 3, 3], [3]],
      (x, w, b) => conv.conv2d(x, w, b, { padding: 1, groups: 3 }),
    ],
    [
      "conv2d, depthwise, twice as many, in steps",
      [
        [1, 3, 9, 17],
        [6, 1, 3, 2],
      ],
      (x, w) => conv.conv2d(x, w, undefined, { stride: 2, padding: [1, 2], dilation: [2, 1], groups: 3 }),
    ],
    [
      "conv2d of one point",
      [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ],
      (x, w) => conv.conv2d(x, w),
    ],
    [
      "conv2d of no images",
      [
        [0, 2, 5, 5],
        [4, 1, 3, 3],
      ],
      (x, w) => conv.conv2d(x, w, undefined, { groups: 2 }),
    ],
    [
      "conv2d of a view",
      [
        [2, 5, 7, 3],
        [4, 3, 3, 3],
      ],
      (x, w) => conv.conv2d(movement.transpose(x, [0, 3, 2, 1]), movement.flip(w, [2, 3]), undefined, { stride: 2 }),
    ],
    [
      "conv3d",
      [
        [1, 2, 5, 3, 4],
        [3, 2, 3, 2, 1],
      ],
      (x, w) => conv.conv3d(x, w, undefined, { padding: 1 }),
    ],
    [
      "conv3d, depthwise",
      [
        [1, 3, 3, 5, 3],
        [3, 1, 2, 3, 2],
      ],
      (x, w) => conv.conv3d(x, w, undefined, { groups: 3 }),
    ],
    [
      "convTranspose1d",
      [[2, 4, 17], [4, 2, 3], [4]],
      (x, w, b) => conv.convTranspose1d(x, w, b, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    ],
    [
      "convTranspose2d",
      [
        [2, 3, 5, 3],
        [3, 2, 3, 2],
      ],
      (x, w) => conv.convTranspose2d(x, w, undefined, { dilation: 2 }),
    ],
    [
      "convTranspose3d",
      [
        [1, 2, 3, 2, 3],
        [2, 1, 2, 3, 2],
      ],
      (x, w) => conv.convTranspose3d(x, w, undefined, { stride: 2 }),
    ],
    ["maxPool1d", [[2, 3, 17]], (x) => pool.maxPool1d(x, 3, { stride: 1, padding: 1, dilation: 2 })],
    ["maxPool3d", [[1, 2, 5, 3, 7]], (x) => pool.maxPool3d(x, [2, 1, 3], { stride: [1, 1, 2] })],
    ["avgPool1d", [[2, 3, 1025]], (x) => pool.avgPool1d(x, 5)],
    ["avgPool2d", [[2, 2, 9, 17]], (x) => pool.avgPool2d(x, 3, { stride: 2, padding: 1, countPadding: false })],
    ["avgPool3d", [[1, 2, 3, 5, 4]], (x) => pool.avgPool3d(x, 2, { stride: 1, padding: [0, 1, 1] })],
    ["adaptiveAvgPool2d", [[2, 2, 7, 10]], (x) => pool.adaptiveAvgPool2d(x, [3, 5])],
    ["adaptiveMaxPool2d", [[2, 2, 7, 10]], (x) => pool.adaptiveMaxPool2d(x, [3, 4])],
    ["globalAvgPool", [[2, 3, 17, 3]], (x) => pool.globalAvgPool(x)],
    ["globalMaxPool", [[2, 3, 17]], (x) => pool.globalMaxPool(x)],
    ["interpolate, nearest", [[1, 2, 5, 3]], (x) => interpolate(x, { scaleFactor: [2, 3] })],
    ["interpolate, nearest, to fewer", [[1, 2, 17]], (x) => interpolate(x, { size: 5 })],
    ["interpolate, bilinear", [[2, 2, 5, 3]], (x) => interpolate(x, { size: [3, 7], mode: "bilinear" })],
    [
      "interpolate, trilinear",
      [[1, 1, 3, 2, 3]],
      (x) => interpolate(x, { size: [2, 5, 4], mode: "trilinear", alignCorners: true }),
    ],
    ["im2col", [[2, 3, 7, 5]], (x) => conv.im2col(x, [3, 2], { stride: 2, padding: 1, dilation: [1, 2] })],
    ["col2im", [[2, 12, 9]], (x) => conv.col2im(x, [4, 5], [2, 3])],
    ["pixelShuffle", [[2, 9, 5, 3]], (x) => pixelShuffle(x, 3)],
    ["pixelUnshuffle", [[3, 4, 6]], (x) => pixelUnshuffle(x, 2)],
  ];
  return cases.map(([name, shapes, build]) => ({
    name: `${name} and its gradients`,
    inputs: shapes.map((shape, i) => floats(shape, 31 + i)),
    build: withGradients(build),
  }));
}
