// Arithmetic, comparisons, movement, reductions and reads against PyTorch's, with their gradients, from ops.json (made by make_ops.py):
// |ours − theirs| ≤ 10⁻⁶ + 10⁻⁶·|theirs|, of batch normalisation ten times that.
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { type Tensor, tensor } from "../../src/index.ts";
import { wave as torchWave } from "../support/torch.ts";

const golden: Record<string, { shape: number[]; value: number[]; gradients: number[][] }> = JSON.parse(
  readFileSync(new URL("ops.json", import.meta.url), "utf8"),
).ops;

beforeAll(() => sg.setDefaultBackend("reference"));

/** The formula that make_ops.py computes too. */
const wave = (shape: readonly number[], scale = 4, shift = 0): Tensor => torchWave(shape, scale, shift);

const x = wave([3, 4]);
const y = sg.where(sg.greater(x, 1), x, wave([3, 4], 4, 5)).stopGradient();
const row = wave([4], 3, 2);
const away = row.add(sg.where(row.less(0), tensor(-0.3), 0.3));
const cube = wave([2, 3, 4]);
const [bools, others] = [x.greater(0), y.greater(0.3)];
const picks = tensor(Int32Array.of(0, 2, 1, 0, 2, 2, 0, 1), { shape: [2, 4] });
const image = wave([2, 3, 4, 4]);
const [scale, offset] = [wave([3], 2, 7), wave([3], 2, 8)];
const special = tensor(Float32Array.of(1.5, Number.NaN, Infinity, -Infinity, -0, 3e38));

const cases: Record<string, readonly [(...inputs: Tensor[]) => Tensor, ...Tensor[]]> = {
  add: [sg.add, x, row],
  sub: [sg.sub, x, row],
  mul: [sg.mul, x, row],
  div: [sg.div, x, away],
  neg: [sg.neg, x],
  abs: [sg.abs, x],
  sign: [sg.sign, x],
  floor: [sg.floor, x],
  maximum: [sg.maximum, x, y],
  minimum: [sg.minimum, x, y],
  where: [(a, b) => sg.where(bools, a, b), x, row],
  cast: [(a) => a.cast("int32").cast("float32").mul(a), x],
  stopGradient: [(a) => a.stopGradient().mul(a), x],
  less: [sg.less, x, y],
  lessEqual: [sg.lessEqual, x, y],
  greater: [sg.greater, x, y],
  greaterEqual: [sg.greaterEqual, x, y],
  equal: [sg.equal, x, y],
  notEqual: [sg.notEqual, x, y],
  logicalAnd: [() => bools.logicalAnd(others)],
  logicalOr: [() => bools.logicalOr(others)],
  logicalNot: [() => bools.logicalNot()],
  isNaN: [() => special.isNaN()],
  isInf: [() => special.isInf()],
  isFinite: [() => special.isFinite()],
  nanToNum: [(a) => a.nanToNum({ nan: 0.5, posinf: 2, neginf: -3 }), special],
  roundTo: [(a) => a.roundTo("bfloat16"), x],
  sum: [(a) => a.sum([0, 2]), cube],
  min: [(a) => a.min(1), cube],
  firstMax: [(a) => sg.ops.firstMax(a, 1), cube.round()],
  argmax: [(a) => a.argmax(1), cube],
  argmin: [(a) => a.argmin(-1), cube],
  broadcastTo: [(a) => a.broadcastTo([3, 4]), row],
  reshape: [(a) => a.reshape([4, -1]), cube],
  transpose: [(a) => a.transpose([2, 0, 1]), cube],
  swapAxes: [(a) => a.swapAxes(0, 2), cube],
  slice: [(a) => a.slice([[1, 2], null, [0, 4, 2]]), cube],
  flip: [(a) => a.flip([0, 2]), cube],
  concat: [(a, b) => sg.concat([a, b.reshape([1, 4])]), x, row],
  stack: [(a, b) => sg.stack([a, b], 1), x, y],
  unfold: [(a) => sg.unfold(a, 1, 3, 1), x],
  gather: [(a) => a.gather(picks, 0), x],
  take: [(a) => sg.take(a, tensor([2, 0, 2], "int32")), x],
  scatter: [(a, u) => a.scatter(tensor([[0, 2, 1, 0]], "int32"), u, 0), x, wave([1, 4], 1, 3)],
  scatterAdd: [(u) => sg.scatterAdd(picks, u, 0, 3), wave([2, 4], 1, 3)],
  scatterMax: [(a, u) => a.scatterMax(picks, u, 0), x.mul(2).round().div(2), wave([2, 4], 6, 3).round().div(2)],
  scatterMin: [(a, u) => a.scatterMin(picks, u, 0), x.mul(2).round().div(2), wave([2, 4], 6, 3).round().div(2)],
  batchNormTraining: [(a, w, b) => sg.batchNormTraining(a, w, b).output, image, scale, offset],
  batchNorm: [
    (a, w, b) => sg.batchNorm(a, wave([3], 1, 4), wave([3], 1, 6).abs().add(0.5), w, b),
    image,
    scale,
    offset,
  ],
  globalMaxPool: [(a) => sg.globalMaxPool(a), image],
  full: [() => sg.full([2, 3], 0.7)],
  fullLike: [() => sg.fullLike(x, 0.7)],
  zerosLike: [() => sg.zerosLike(x)],
  onesLike: [() => sg.onesLike(x)],
  arange: [() => sg.arange(0.5, 3, 0.25)],
  coordinate: [() => sg.ops.coordinate([3, 4], 0)],
  eye: [() => sg.eye(3, { columns: 4 })],
  oneHot: [() => sg.oneHot(picks, 4)],
  meshgrid: [(a, b) => sg.stack(sg.meshgrid([a, b], { indexing: "ij" })), row, offset],
};

test("every golden has its case", () => {
  expect(Object.keys(cases).sort()).toEqual(Object.keys(golden).sort());
});

test.each(Object.keys(cases))("%s", async (name) => {
  const [apply, ...inputs] = cases[name];
  const { shape, value, gradients } = golden[name];
  const tolerance = name.startsWith("batchNorm") ? 1e-5 : 1e-6;
  const near = async (ours: Tensor, theirs: readonly number[], what: string) => {
    const data = await ours.data();
    expect(data.length).toBe(theirs.length);
    theirs.forEach((each, i) => {
      expect(Math.abs(data[i] - each), `${what} ${i}: ${data[i]}, ${each}`).toBeLessThanOrEqual(
        tolerance * (1 + Math.abs(each)),
      );
    });
  };
  const out = apply(...inputs);
  expect(out.shape).toEqual(shape);
  await near(out, value, "value");
  if (out.dtype !== "float32" || inputs.length === 0) return;
  const found = sg.gradients(out.mul(wave(out.shape, 2, 9)).sum(), inputs);
  for (const [i, each] of found.entries()) await near(each, gradients[i], `gradient ${i}`);
});
