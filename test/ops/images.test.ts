// What convolutions, pooling and resampling have in common, bit by bit: one dimension is two of which one has a single point, groups are convolutions side by
// side, a transposed convolution is a gradient; and what they refuse.
import { beforeAll, describe, expect, test } from "vitest";
import type { Shape } from "../../src/index.ts";
import * as sg from "../../src/index.ts";

const { ops, nn, gradients } = sg;

beforeAll(() => sg.setDefaultBackend("reference"));

const random = (shape: Shape, shift = 0) =>
  sg.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.fround((((i + shift) * 0.618) % 1) - 0.4),
    ),
    { shape },
  );

async function expectBits(a: sg.Tensor, b: sg.Tensor): Promise<void> {
  expect(a.shape).toEqual(b.shape);
  const bits = async (x: sg.Tensor) => Array.from(new Int32Array((await x.data()).slice().buffer));
  expect(await bits(a)).toEqual(await bits(b));
}

describe("bit by bit", () => {
  test("conv1d is conv2d of a single row, and so are its gradients", async () => {
    const [x, w, b] = [random([2, 3, 17]), random([4, 3, 5], 7), random([4], 9)];
    const options = { stride: 2, dilation: 2 };
    const one = ops.conv1d(x, w, b, { ...options, padding: 3 });
    const two = ops.conv2d(x.reshape([2, 3, 1, 17]), w.reshape([4, 3, 1, 5]), b, {
      ...options,
      stride: [1, 2],
      padding: [0, 3],
    });
    await expectBits(one, two.reshape(one.shape));
    const [first, second] = [one, two].map((y) => gradients(y.mul(y).sum(), [x, w, b]));
    for (const i of [0, 1, 2]) await expectBits(first[i], second[i]);
  });

  test.each([2, 4])("%d groups are convolutions side by side", async (groups) => {
    const [x, w] = [random([2, 4, 6, 5]), random([8, 4 / groups, 3, 2], 5)];
    const [own, out] = [4 / groups, 8 / groups];
    const parts = Array.from({ length: groups }, (_, i) =>
      ops.conv2d(x.slice([null, [i * own, (i + 1) * own]]), w.slice([[i * out, (i + 1) * out]])),
    );
    await expectBits(ops.conv2d(x, w, undefined, { groups }), sg.concat(parts, 1));
  });

  test("convTranspose2d is conv2d's gradient, and conv2d that one's", async () => {
    const options = { stride: [2, 1], padding: [1, 0], dilation: [1, 2] };
    const [z, w] = [random([2, 3, 7, 6]), random([4, 3, 3, 2], 3)];
    const y = ops.conv2d(z, w, undefined, options);
    const x = random(y.shape, 11);
    const back = ops.convTranspose2d(x, w, undefined, options);
    await expectBits(gradients(y.mul(x).sum(), [z])[0], back);
    await expectBits(gradients(back.mul(z).sum(), [x])[0], y);
  });

  test("a transposed convolution with groups is such ones side by side; the bias comes last", async () => {
    const [x, w, b] = [random([1, 4, 5]), random([4, 2, 3], 3), random([4], 5)];
    const parts = [0, 1].map((i) =>
      ops.convTranspose1d(x.slice([null, [2 * i, 2 * i + 2]]), w.slice([[2 * i, 2 * i + 2]]), undefined, { stride: 2 }),
    );
    const whole = ops.convTranspose1d(x, w, b, { stride: 2, groups: 2 });
    await expectBits(whole, sg.concat(parts, 1).add(b.reshape([4, 1])));
  });

  test('"same" adds the odd point behind; "valid" none', async () => {
    const [x, w] = [random([1, 1, 5, 6]), random([1, 1, 2, 4], 3)];
    const padded = x.pad([
      [0, 0],
      [0, 0],
      [0, 1],
      [1, 2],
    ]);
    await expectBits(ops.conv2d(x, w, undefined, { padding: "same" }), ops.conv2d(padded, w));
    await expectBits(ops.conv2d(x, w, undefined, { padding: "valid" }), ops.conv2d(x, w));
  });

  test("under autocast depthwise convolutions round as products do", async () => {
    const [x, w] = [random([1, 3, 5, 5]), random([3, 1, 3, 3], 3)];
    const [whole, parts] = sg.autocast("bfloat16", () => [
      ops.conv2d(x, w, undefined, { groups: 3 }),
      sg.concat(
        [0, 1, 2].map((i) => ops.conv2d(x.slice([null, [i, i + 1]]), w.slice([[i, i + 1]]))),
        1,
      ),
    ]) as unknown as [sg.Tensor, sg.Tensor];
    await expectBits(whole, parts);
  });

  test("adaptive windows that divide are windows of one size; global pooling is one window", async () => {
    const x = random([2, 3, 6, 8]);
    await expectBits(ops.adaptiveAvgPool2d(x, [3, 2]), ops.avgPool2d(x, [2, 4]));
    await expectBits(ops.adaptiveMaxPool2d(x, [3, 2]), ops.maxPool2d(x, [2, 4]));
    await expectBits(ops.globalMaxPool(x), ops.adaptiveMaxPool2d(x, 1).reshape([2, 3]));
  });

  test("NaN wins each maximum, and takes the gradient", async () => {
    const x = sg.tensor([[[1, Number.NaN, 3, 2, 5]]]);
    expect(await ops.maxPool1d(x, 3, { stride: 2 }).array()).toEqual([[[Number.NaN, 5]]]);
    expect(await ops.adaptiveMaxPool1d(x, 2).array()).toEqual([[[Number.NaN, 5]]]);
    expect(await gradients(ops.globalMaxPool(x).sum(), [x])[0].array()).toEqual([[[0, 1, 0, 0, 0]]]);
  });

  test("maxima of integers below 0: what padding adds, or a shorter window hasn't, is none of them", async () => {
    const x = sg.tensor([[[-5, -3, -7, -9]]], "int32");
    expect(await ops.maxPool1d(x, 2, { padding: 1 }).array()).toEqual([[[-5, -3, -9]]]);
    expect(await ops.adaptiveMaxPool1d(x, 3).array()).toEqual([[[-3, -3, -7]]]);
  });

  test("what lies beyond a shorter adaptive window isn't read", async () => {
    const x = sg.tensor([[[1, 2, 3, Number.POSITIVE_INFINITY, Number.NaN]]]);
    expect(await ops.adaptiveAvgPool1d(x, 3).array()).toEqual([[[1.5, Number.POSITIVE_INFINITY, Number.NaN]]]);
  });

  test("col2im adds up what im2col reads, in its windows' number", async () => {
    const x = random([2, 2, 5, 6]);
    const options = { stride: 2, padding: 1 };
    const counts = ops.col2im(ops.im2col(sg.ones([1, 1, 5, 6]), 3, options), [5, 6], 3, options);
    const total = ops.col2im(ops.im2col(x, 3, options), [5, 6], 3, options);
    const difference = Array.from(await total.sub(x.mul(counts)).data());
    expect(Math.max(...difference.map(Math.abs))).toBeLessThan(1e-5);
  });

  test("interpolate: nearest takes floors of exact numbers; pixelShuffle and back is nothing", async () => {
    const x = sg.arange(49).cast("float32").reshape([1, 1, 49]);
    const by = ops.interpolate(x, { scaleFactor: 49 });
    expect((await by.data())[49 * 49 - 1]).toBe(48);
    expect(await ops.interpolate(x, { size: 7 }).array()).toEqual([[[0, 7, 14, 21, 28, 35, 42]]]);
    const image = random([2, 8, 3, 5]);
    await expectBits(ops.pixelUnshuffle(ops.pixelShuffle(image, 2), 2), image);
  });

  test("gridSample of no images, and at no points", () => {
    expect(ops.gridSample(sg.zeros([0, 2, 3, 3]), sg.zeros([0, 4, 5, 2])).shape).toEqual([0, 2, 4, 5]);
    expect(ops.gridSample(sg.zeros([1, 2, 3, 3]), sg.zeros([1, 0, 5, 2])).shape).toEqual([1, 2, 0, 5]);
    expect(() => ops.gridSample(sg.zeros([1, 2, 0, 3]), sg.zeros([1, 4, 5, 2]))).toThrow(/widths ≥ 1/);
  });

  test("gridSample: nothing is far outside, however far, for the value and for both gradients", async () => {
    const x = sg.tensor([[[[1, 2]]]]);
    const grid = sg.tensor(Float32Array.of(Infinity, 0, -1e30, 0, 0, -Infinity, -0.5, 0), [1, 1, 4, 2]);
    const y = ops.gridSample(x, grid);
    expect(Array.from(await y.data())).toEqual([0, 0, 0, 1]);
    const [toImage, toGrid] = gradients(y.sum(), [x, grid]);
    expect(Array.from(await toImage.data())).toEqual([1, 0]);
    expect(Array.from(await toGrid.data())).toEqual([0, 0, 0, 0, 0, 0, 1, -0.5]);
  });
});

describe("what they refuse", () => {
  const image = sg.zeros([1, 4, 5, 6]);
  const filters = sg.zeros([2, 4, 3, 3]);
  const { ShapeError, ConfigError } = sg;
  type Refusal = readonly [string, () => unknown, new (...args: never[]) => Error, RegExp];
  const cases: readonly Refusal[] = [
    ["a sequence in an image's place", () => ops.conv1d(image, filters), ShapeError, /\[out, in, across\]/],
    [
      "two sizes of three",
      () => ops.maxPool3d(sg.zeros([1, 1, 4, 4, 4]), [2, 2]),
      ShapeError,
      /no size for each axis: got \[2,2\].*or 3 of them/,
    ],
    [
      "channels of other groups",
      () => ops.conv2d(image, filters, undefined, { groups: 2 }),
      ShapeError,
      /\[batch, 8, height, width\]/,
    ],
    [
      "groups that don't divide",
      () => ops.conv2d(image, filters, undefined, { groups: 3 }),
      ShapeError,
      /2 channels, groups 3/,
    ],
    ["half a group", () => ops.conv2d(image, filters, undefined, { groups: 0.5 }), ShapeError, /groups 0.5/],
    [
      "a bias for other channels",
      () => ops.conv2d(image, filters, sg.zeros([3])),
      ShapeError,
      /got \[3\], expected \[2\]/,
    ],
    [
      "same with a stride",
      () => ops.conv2d(image, filters, undefined, { padding: "same", stride: 2 }),
      ShapeError,
      /overlap \[2,2\]/,
    ],
    [
      "a dilated window that is too large",
      () => ops.conv2d(image, filters, undefined, { dilation: 3 }),
      ShapeError,
      /7×7 over 5×6/,
    ],
    [
      "a padding by another name",
      () => ops.conv2d(image, filters, undefined, { padding: "SAME" as "same" }),
      ConfigError,
      /here it is called "same"/,
    ],
    [
      "an outputPadding as large as the stride",
      () => ops.convTranspose2d(image, sg.zeros([4, 1, 3, 3]), undefined, { stride: 2, outputPadding: 2 }),
      ShapeError,
      /outputPadding \[2,2\]/,
    ],
    [
      "nothing left",
      () => ops.convTranspose1d(sg.zeros([1, 1, 1]), sg.zeros([1, 1, 1]), undefined, { padding: 1 }),
      ShapeError,
      /which give \[-1\]/,
    ],
    [
      "filters of nothing",
      () => ops.conv1d(sg.ones([1, 1, 3]), sg.ones([1, 1, 0])),
      ShapeError,
      /^conv1d: .*extents ≥ 1/,
    ],
    [
      "transposed filters of nothing",
      () => ops.convTranspose2d(image, sg.ones([4, 1, 2, 0])),
      ShapeError,
      /^convTranspose2d: not a filter.*\[4, 1, 2, 0\]/,
    ],
    ["too much padding for a mean", () => ops.avgPool2d(image, 2, { padding: 2 }), ShapeError, /at most half/],
    ["no windows", () => ops.adaptiveAvgPool2d(image, 0), ShapeError, /size isn.t a count: got 0/],
    ["windows of nothing", () => ops.adaptiveMaxPool1d(sg.zeros([1, 1, 0]), 1), ShapeError, /nothing to pool/],
    ["global pooling of flat samples", () => ops.globalAvgPool(sg.zeros([2, 3])), ShapeError, /not images/],
    [
      "columns of other windows",
      () => ops.col2im(sg.zeros([1, 8, 11]), [4, 5], 2),
      ShapeError,
      /\[batch, channels · 4, 3 · 4\]/,
    ],
    ["a factor that doesn't divide", () => ops.pixelShuffle(image, 3), ShapeError, /by 3/],
    ["neither size nor scaleFactor", () => ops.interpolate(image, {}), ConfigError, /neither/],
    ["both", () => ops.interpolate(image, { size: 2, scaleFactor: 2 }), ConfigError, /both/],
    [
      "another dimension's mode",
      () => ops.interpolate(image, { size: 2, mode: "linear" }),
      ConfigError,
      /"nearest" or "bilinear"/,
    ],
    ["corners of nearest points", () => nn.upsample({ size: 2, alignCorners: true }), ConfigError, /between points/],
    [
      "a shrinking to nothing",
      () => ops.interpolate(image, { scaleFactor: 0.1 }),
      ShapeError,
      /\[5, 6\] times \[0.1,0.1\]/,
    ],
    ["a grid of another batch", () => ops.gridSample(image, sg.zeros([2, 3, 3, 2])), ShapeError, /a grid for each/],
    ["a grid that isn't of pairs", () => ops.gridSample(image, sg.zeros([1, 3, 3, 3])), ShapeError, /columns, 2\]/],
    ["maps of space", () => ops.affineGrid(sg.zeros([1, 3, 4]), 2), ShapeError, /expected \[batch, 2, 3\]/],
    ["a layer's groups that don't divide", () => nn.conv2d(4, 6, 3, { groups: 4 }), ShapeError, /4 → 6, groups 4/],
    ["a layer's sizes for other axes", () => nn.conv3d(1, 1, [3, 3]), ShapeError, /no size for each axis/],
    ["a layer's unknown option", () => nn.conv1d(1, 1, 3, { pad: 1 } as object), ConfigError, /did you mean padding\?/],
  ];
  test.each(cases)("%s", (_what, body, type, message) => {
    expect(body).toThrow(type);
    expect(body).toThrow(message);
  });
});

test("layers say what they are, and draw their weights from U(±1/√fan-in)", () => {
  expect(String(nn.conv1d(4, 6, 3, { padding: "same", groups: 2 }))).toBe(
    "Conv1d(4 → 6, 3, stride 1, padding same, groups 2)",
  );
  expect(
    String(nn.convTranspose2d(4, 6, [3, 2], { stride: [2, 1], outputPadding: [1, 0], bias: false, groups: 2 })),
  ).toBe("ConvTranspose2d(4 → 6, 3 × 2, stride 2 × 1, padding 0, groups 2, output padding 1 × 0, no bias)");
  expect([nn.adaptiveAvgPool2d([3, 1]), nn.upsample({ scaleFactor: 2 }), nn.fold([4, 5], 2)].map(String)).toEqual([
    "AdaptiveAvgPool2d(3 × 1)",
    "Upsample(by 2, nearest)",
    "Fold(2 to 4 × 5)",
  ]);
  const { weight } = nn.convTranspose2d(8, 6, 3, { groups: 2 });
  expect(weight.shape).toEqual([8, 3, 3, 3]);
});
