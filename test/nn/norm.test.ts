// Normalisation layers: what they refuse, what they say, what they draw.
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { ambientStream } from "../../src/rng/stream.ts";

const { nn } = sg;
const { ConfigError, ShapeError } = sg;

beforeAll(() => sg.setDefaultBackend("reference"));

describe("normalisation layers", () => {
  test.each<[string, () => unknown, new (details: never) => Error, RegExp]>([
    ["no channels", () => nn.batchNorm2d(0), ShapeError, /^nn.batchNorm2d: channels isn't a count: got 0/],
    [
      "a momentum out of range",
      () => nn.batchNorm1d(2, { momentum: 1.5 }),
      ShapeError,
      /^nn.batchNorm1d.momentum: .*got 1.5, expected a number in \[0, 1\]/,
    ],
    ["a momentum of another name", () => nn.batchNorm1d(2, { momentum: "mean" as never }), ConfigError, /cumulative/],
    [
      "one value of an instance",
      () => nn.instanceNorm(2, { trackRunningStats: true }).forward(sg.ones([4, 2])),
      ShapeError,
      /^nn.instanceNorm: fewer than two values of a sample's channel/,
    ],
    [
      "an unknown option",
      () => nn.batchNorm3d(2, { eps: 1 } as never),
      ConfigError,
      /^nn.batchNorm3d.eps: unknown key/,
    ],
    [
      "images for a layer of rows",
      () => nn.batchNorm1d(2).forward(sg.ones([1, 2, 3, 3])),
      ShapeError,
      /^nn.batchNorm1d: .*got \[1, 2, 3, 3\], expected \[batch, channels\] or .* with 2 channels/,
    ],
    ["other channels", () => nn.batchNorm2d(2).forward(sg.ones([4, 3, 2, 2])), ShapeError, /with 2 channels/],
    ["one value", () => nn.batchNorm1d(2).forward(sg.ones([1, 2])), ShapeError, /fewer than two values/],
    ["groups", () => nn.groupNorm(3, 4), ShapeError, /^nn.groupNorm: channels must be divisible by groups/],
    ["group channels", () => nn.groupNorm(2, 4).forward(sg.ones([2, 6])), ShapeError, /expected \[batch, 4, ...\]/],
    ["an extent", () => nn.rmsNorm([2, 0]), ShapeError, /^nn.rmsNorm: an extent isn't a count/],
    [
      "a parameter that isn't there",
      () => nn.weightNorm(nn.linear(2, 3), { name: "wight" }),
      ConfigError,
      /^nn.weightNorm: .*got wight, expected weight, bias/,
    ],
    ["nothing to normalise", () => nn.spectralNorm(nn.relu()), ConfigError, /expected a layer with parameters/],
    ["a vector", () => nn.spectralNorm(nn.linear(2, 3), { name: "bias" }), ShapeError, /^nn.spectralNorm: no rows/],
    ["no such axis", () => nn.weightNorm(nn.linear(2, 3), { axis: 2 }), ShapeError, /got weight \[3, 2\], axis 2/],
  ])("%s", (_, body, kind, message) => {
    sg.manualSeed(1);
    expect(body).toThrow(kind);
    expect(body).toThrow(message);
  });

  test("names and texts; which are drawn", () => {
    sg.manualSeed(1);
    const model = nn.sequential(
      nn.batchNorm1d(4),
      nn.weightNorm(nn.linear(4, 6)),
      nn.spectralNorm(nn.linear(6, 4)),
      nn.groupNorm(2, 4),
      nn.rmsNorm(4),
    );
    expect(model.namedVariables().map(([name]) => name)).toEqual([
      "buffer/0.runningMean",
      "buffer/0.runningVariance",
      "buffer/2.left",
      "buffer/2.right",
      "parameter/0.bias",
      "parameter/0.weight",
      "parameter/1.layer.bias",
      "parameter/1.layer.weight",
      "parameter/1.magnitude",
      "parameter/2.layer.bias",
      "parameter/2.layer.weight",
      "parameter/3.bias",
      "parameter/3.weight",
      "parameter/4.weight",
    ]);
    expect(String(model.layers[0])).toBe("BatchNorm(4)");
    expect(String(model.layers[3])).toBe("GroupNorm(4 channels, 2 groups)");
    expect(ambientStream().position).toBe(4 * 6 + 6 + 6 * 4 + 4 + 4 + 6);
  });

  const cumulative = { momentum: "cumulative", trackRunningStats: true } as const;
  test.each([
    [nn.batchNorm1d(1, cumulative), [2, 1]],
    [nn.instanceNorm(1, cumulative), [1, 1, 2]],
  ])(
    "%s counts what it has seen where momentum is cumulative, compiled too, and evaluation counts nothing",
    async (layer, shape) => {
      const seen = sg.compile((x: sg.Tensor) => layer.forward(x).sum(), { state: [layer] });
      for (const at of [1, 3, 8]) await seen(sg.tensor([at, at + 2], { shape }));
      layer.eval();
      layer.forward(sg.tensor([100, 200], { shape }));
      expect(await layer.runningMean!.array()).toEqual([5]);
      expect(await layer.runningVariance!.array()).toEqual([2]);
      expect(await layer.batchesTracked!.item()).toBe(3);
      expect(layer.namedVariables().map(([name]) => name)).toContain("buffer/batchesTracked");
      expect(nn.batchNorm1d(1).batchesTracked).toBeUndefined();
    },
  );

  test("a spectral norm's weight has the largest singular value 1, and evaluation moves nothing", async () => {
    sg.manualSeed(2);
    const layer = nn.spectralNorm(nn.linear(5, 3, { bias: false }), { powerIterations: 30 });
    layer.forward(sg.ones([1, 5]));
    layer.eval();
    const [left, right] = [await layer.left.data(), await layer.right.data()];
    const weight = sg.swapAxes(layer.forward(sg.eye(5)));
    expect(Math.abs((await sg.matmul(layer.left, sg.matmul(weight, layer.right)).item()) - 1)).toBeLessThan(1e-6);
    expect([await layer.left.data(), await layer.right.data()]).toEqual([left, right]);
  });
});
