// Normalisation layers against norms.json (PyTorch, made by make_norms.py): outputs, gradients, buffers after passes in training, and evaluation
// after it. |ours − theirs| ≤ 10⁻⁶ + 2·10⁻⁵·(the largest of the tensor).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { type Shape, type Tensor } from "../../src/index.ts";
import { wave } from "../support/torch.ts";

const { nn } = sg;

interface Golden {
  readonly output: readonly number[];
  readonly gradient: readonly number[];
  readonly parameters: readonly (readonly number[])[];
  readonly buffers: readonly (readonly number[])[];
  readonly evaluated: readonly number[];
  readonly evaluated_gradient: readonly number[];
}
const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL("norms.json", import.meta.url), "utf8"),
).cases;

/** The layer with the parameters that the script gives. */
function given<M extends sg.nn.Module>(layer: M): M {
  for (const [i, parameter] of layer.parameters().entries()) parameter.assign(wave(parameter.shape, 1, 31 + 7 * i));
  return layer;
}

type Layer = sg.nn.Module<Tensor>;
interface Case {
  readonly layer: () => Layer;
  readonly shape: Shape;
  /** How many passes in training; 2 unless given. */
  readonly steps?: number;
  /** In PyTorch's order, where it isn't ours. */
  readonly parameters?: (layer: Layer) => readonly Tensor[];
}

/** Weight normalisation has bias, magnitude, direction there. */
const reordered = (layer: Layer) => {
  const [magnitude, weight, bias] = layer.parameters();
  return [bias, magnitude, weight];
};

function spectral(): Layer {
  const layer = nn.spectralNorm(given(nn.linear(5, 4)));
  const unit = (x: Tensor) => x.div(x.mul(x).sum().sqrt());
  layer.left.assign(unit(wave([4], 1, 3)));
  layer.right.assign(unit(wave([5], 1, 9)));
  return layer;
}

const cases: Record<string, Case> = {
  "batchNorm1d rows": { layer: () => given(nn.batchNorm1d(5)), shape: [7, 5] },
  batchNorm1d: { layer: () => given(nn.batchNorm1d(3, { momentum: 0.3, epsilon: 1e-3 })), shape: [4, 3, 5] },
  batchNorm2d: { layer: () => given(nn.batchNorm2d(3)), shape: [2, 3, 5, 4] },
  "batchNorm2d plain": {
    layer: () => nn.batchNorm2d(3, { affine: false, trackRunningStats: false }),
    shape: [2, 3, 3, 3],
  },
  "batchNorm2d cumulative": {
    layer: () => given(nn.batchNorm2d(3, { momentum: "cumulative" })),
    shape: [2, 3, 5, 4],
    steps: 3,
  },
  batchNorm3d: { layer: () => given(nn.batchNorm3d(2)), shape: [3, 2, 2, 3, 2] },
  groupNorm: { layer: () => given(nn.groupNorm(2, 6)), shape: [2, 6, 3, 3] },
  "groupNorm rows": { layer: () => given(nn.groupNorm(3, 6)), shape: [4, 6] },
  instanceNorm: { layer: () => nn.instanceNorm(3), shape: [2, 3, 4, 5] },
  "instanceNorm affine": { layer: () => given(nn.instanceNorm(3, { affine: true })), shape: [2, 3, 7] },
  "instanceNorm running": {
    layer: () => given(nn.instanceNorm(3, { affine: true, trackRunningStats: true, momentum: 0.2 })),
    shape: [2, 3, 4, 5],
  },
  rmsNorm: { layer: () => given(nn.rmsNorm([4, 3])), shape: [5, 4, 3] },
  "rmsNorm epsilon": { layer: () => given(nn.rmsNorm(6, { epsilon: 1e-3 })), shape: [3, 6] },
  weightNorm: { layer: () => nn.weightNorm(given(nn.linear(5, 4))), shape: [3, 5], parameters: reordered },
  "weightNorm conv": {
    layer: () => nn.weightNorm(given(nn.conv2d(2, 3, 3))),
    shape: [2, 2, 4, 4],
    parameters: reordered,
  },
  spectralNorm: { layer: spectral, shape: [3, 5], parameters: (layer) => [...layer.parameters()].reverse() },
};

async function close(what: string, ours: Tensor, theirs: readonly number[]): Promise<void> {
  const bound = 1e-6 + 2e-5 * Math.max(...theirs.map(Math.abs));
  const data = await ours.data();
  expect(data.length, what).toBe(theirs.length);
  data.forEach((value, i) => {
    expect(Math.abs(value - theirs[i]), `${what} ${i}: ours ${value}, theirs ${theirs[i]}`).toBeLessThanOrEqual(bound);
  });
}

describe("normalisation", () => {
  test("every golden has its case", () => expect(Object.keys(cases).sort()).toEqual(Object.keys(golden).sort()));

  test.each(Object.keys(cases))("%s", async (name) => {
    sg.manualSeed(1);
    const { layer: make, shape, steps = 2, parameters = (of: Layer) => of.parameters() } = cases[name];
    const theirs = golden[name];
    const layer = make();
    const pass = (x: Tensor) => {
      const y = layer.forward(x);
      const loss = y.mul(wave(y.shape, 1, 101)).sum();
      const found = sg.gradients(loss, [x, ...parameters(layer)]);
      return { y, found };
    };
    for (let i = 0; i < steps - 1; i++) pass(wave(shape, 3, 5 + i).add(0.3));
    const { y, found } = pass(wave(shape, 3, 4 + steps).add(0.3));
    await close("output", y, theirs.output);
    await close("gradient", found[0], theirs.gradient);
    for (const [i, each] of theirs.parameters.entries()) await close(`gradient of parameter ${i}`, found[1 + i], each);
    const all = layer.namedVariables().filter(([path]) => path.startsWith("buffer/"));
    const buffers = all.filter(([, { dtype }]) => dtype === "float32");
    expect(buffers.length).toBe(theirs.buffers.length);
    for (const [i, [path, buffer]] of buffers.entries()) await close(path, buffer, theirs.buffers[i]);
    layer.eval();
    const evaluated = pass(wave(shape, 3, 77));
    await close("evaluated", evaluated.y, theirs.evaluated);
    await close("gradient in evaluation", evaluated.found[0], theirs.evaluated_gradient);
    for (const [i, [path, buffer]] of buffers.entries()) await close(`${path} after`, buffer, theirs.buffers[i]);
  });
});
