// Gradients and second gradients of convolutions, pooling and resampling, against central differences in float64.
import { test } from "vitest";
import type { Shape } from "../../src/core/shape.ts";
import type { Node } from "../../src/graph/node.ts";
import * as conv from "../../src/ops/conv.ts";
import { exp, mul } from "../../src/ops/elementwise.ts";
import { affineGrid, gridSample } from "../../src/ops/grid-sample.ts";
import { interpolate, pixelShuffle, pixelUnshuffle } from "../../src/ops/interpolate.ts";
import * as pool from "../../src/ops/pool.ts";
import { checkGradients as check } from "../support/gradients.ts";

const squared = (x: Node) => mul(x, x);
test.each<[string, readonly Shape[], (...inputs: Node[]) => Node]>([
  ["conv1d", [[1, 2, 5], [2, 2, 3], [2]], (x, w, b) => conv.conv1d(x, w, b, { padding: "same" })],
  [
    "conv2d in groups",
    [
      [1, 4, 3, 4],
      [2, 2, 2, 2],
    ],
    (x, w) => conv.conv2d(x, w, undefined, { groups: 2, dilation: 2 }),
  ],
  [
    "conv2d, depthwise",
    [
      [1, 2, 3, 3],
      [4, 1, 2, 2],
    ],
    (x, w) => conv.conv2d(x, w, undefined, { groups: 2 }),
  ],
  [
    "conv3d",
    [
      [1, 1, 2, 2, 2],
      [1, 1, 2, 1, 2],
    ],
    (x, w) => conv.conv3d(x, w, undefined, { stride: [1, 1, 2], padding: [0, 0, 1] }),
  ],
  [
    "convTranspose1d",
    [[1, 2, 3], [2, 1, 3], [1]],
    (x, w, b) => conv.convTranspose1d(x, w, b, { stride: 2, padding: 1 }),
  ],
  [
    "convTranspose2d",
    [
      [1, 2, 2, 3],
      [2, 1, 3, 2],
    ],
    (x, w) => conv.convTranspose2d(x, w, undefined, { stride: [2, 1], dilation: [1, 2], groups: 2 }),
  ],
  [
    "convTranspose3d",
    [
      [1, 1, 2, 1, 2],
      [1, 1, 2, 2, 2],
    ],
    (x, w) => conv.convTranspose3d(x, w, undefined, { stride: 2 }),
  ],
  ["maxPool1d", [[1, 2, 7]], (x) => pool.maxPool1d(exp(x), 3, { stride: 2 })],
  ["maxPool3d", [[1, 1, 2, 4, 4]], (x) => pool.maxPool3d(exp(x), 2)],
  ["avgPool2d", [[1, 1, 4, 5]], (x) => pool.avgPool2d(squared(x), 3, { stride: 2, padding: 1, countPadding: false })],
  ["adaptiveAvgPool2d", [[1, 1, 5, 4]], (x) => pool.adaptiveAvgPool2d(squared(x), [2, 3])],
  ["adaptiveMaxPool1d", [[1, 2, 7]], (x) => pool.adaptiveMaxPool1d(exp(x), 3)],
  ["globalAvgPool", [[2, 2, 3, 2]], (x) => pool.globalAvgPool(squared(x))],
  ["globalMaxPool", [[2, 2, 5]], (x) => pool.globalMaxPool(exp(x))],
  ["interpolate, nearest", [[1, 1, 2, 3]], (x) => interpolate(squared(x), { scaleFactor: 2 })],
  ["interpolate, between", [[1, 1, 3, 4]], (x) => interpolate(squared(x), { size: [5, 3], mode: "bilinear" })],
  [
    "gridSample",
    [
      [1, 2, 4, 5],
      [1, 2, 3, 2],
    ],
    (x, grid) => gridSample(squared(x), mul(grid, 0.3), { alignCorners: true }),
  ],
  ["affineGrid", [[2, 2, 3]], (maps) => squared(affineGrid(maps, [2, 3]))],
  ["im2col", [[1, 2, 3, 4]], (x) => conv.im2col(squared(x), 2, { padding: 1, dilation: 2 })],
  ["col2im", [[1, 4, 6]], (x) => conv.col2im(squared(x), [3, 4], 2)],
  ["pixelShuffle", [[4, 2, 1]], (x) => pixelShuffle(squared(x), 2)],
  ["pixelUnshuffle", [[1, 2, 4]], (x) => pixelUnshuffle(squared(x), 2)],
])("%s", (_, shapes, build) => check(shapes, build));
