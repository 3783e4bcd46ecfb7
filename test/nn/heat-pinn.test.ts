// The physics-informed network: its edges and its start whatever its weights are, its derivatives against formulas in float64, what it refuses.
import { beforeAll, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import * as nn from "../../src/nn/index.ts";
import { gradients } from "../../src/program/gradients.ts";
import { manualSeed } from "../../src/rng/stream.ts";
import { setDefaultBackend } from "../../src/runtime/backends.ts";
import { tensor, zeros } from "../../src/tensor/functions.ts";

beforeAll(() => setDefaultBackend("reference"));

test("0 at the ends, sin πx at the start", async () => {
  manualSeed(1);
  const model = nn.heatPinn({ hidden: [5, 4] });
  const at = async (points: number[][]) => Array.from(await model.forward(tensor(points)).outputs.data());
  expect(await at([0, 0.3, 1].map((t) => [0, t]))).toEqual([0, 0, 0]);
  // sin of π rounded to float32.
  for (const u of await at([0, 0.3, 1].map((t) => [1, t]))) expect(Math.abs(u)).toBeLessThan(1e-7);
  const xs = [0.1, 0.25, 0.7];
  (await at(xs.map((x) => [x, 0]))).forEach((u, i) => {
    expect(u).toBeCloseTo(Math.sin(Math.PI * xs[i]), 6);
  });
});

test("the loss is the mean square of ∂u/∂t − α·∂²u/∂x², and differentiates once more, by the weights", async () => {
  manualSeed(2);
  const [hidden, diffusivity] = [3, 0.25];
  const model = nn.heatPinn({ hidden: [hidden], diffusivity });
  const weights = await Promise.all(model.parameters().map(async (each) => Array.from(await each.data())));
  const points = Array.from({ length: 7 }, (_, i) => [((5 * i + 1) % 7) / 7, ((3 * i) % 5) / 4]);
  /** u and the residual of each point. */
  const meaning = ([w1, b1, w2, b2]: number[][]) =>
    points.map(([x, t]) => {
      // N = Σ w₂·tanh(a), a = w₁·(x, t) + b₁; tanh′ = 1 − tanh², tanh″ = −2·tanh·tanh′.
      let [n, nT, nX, nXX] = [b2[0], 0, 0, 0];
      for (let j = 0; j < hidden; j++) {
        const [inX, inT] = [w1[2 * j], w1[2 * j + 1]];
        const y = Math.tanh(inX * x + inT * t + b1[j]);
        n += w2[j] * y;
        nT += w2[j] * (1 - y * y) * inT;
        nX += w2[j] * (1 - y * y) * inX;
        nXX += w2[j] * -2 * y * (1 - y * y) * inX * inX;
      }
      const [pi, bump] = [Math.PI, x * (1 - x)];
      const byT = bump * (n + t * nT);
      const byXX = -pi * pi * Math.sin(pi * x) + t * (-2 * n + 2 * (1 - 2 * x) * nX + bump * nXX);
      return { u: Math.sin(pi * x) + t * bump * n, residual: byT - diffusivity * byXX };
    });
  const lossOf = (all: number[][]) =>
    meaning(all).reduce((sum, { residual }) => sum + residual * residual, 0) / points.length;

  const { loss, outputs } = model.forward(tensor(points));
  expect(outputs.shape).toEqual([7, 1]);
  const expected = meaning(weights).map(({ u }) => u);
  Array.from(await outputs.data()).forEach((u, i) => {
    expect(u).toBeCloseTo(expected[i], 5);
  });
  expect(await loss.item()).toBeCloseTo(lossOf(weights), 5);
  const slopes = await Promise.all(
    gradients(loss, model.parameters()).map(async (each) => Array.from(await each.data())),
  );
  const h = 1e-5;
  slopes.forEach((list, i) => {
    list.forEach((slope, j) => {
      const moved = (by: number) =>
        lossOf(weights.map((each, k) => (k === i ? each.map((w, l) => (l === j ? w + by : w)) : each)));
      expect(slope).toBeCloseTo((moved(h) - moved(-h)) / (2 * h), 4);
    });
  });
});

test("what isn't points is refused", () => {
  const model = nn.heatPinn({ hidden: [3] });
  for (const shape of [[2], [4, 3], [1, 2, 2]])
    expect(() => model.forward(zeros(shape))).toThrow(/not points in space and time: got \[.*expected \[batch, 2\]/);
  expect(() => nn.heatPinn({ hidden: [] })).toThrow(ShapeError);
  expect(() => nn.heatPinn({ hidden: [3], diffusivity: 0 })).toThrow(ShapeError);
});
