// Linear algebra against linalg.json (made by make_linalg.py, in float64 by PyTorch): values and gradients, |ours − theirs| ≤ 10⁻⁵ of the largest
// number of a result or gradient, at least of 1; 10⁻⁴ at 17 rows. Vectors whose sign is free are compared by their products.
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import * as sg from "../../src/index.ts";

interface Golden {
  readonly form: keyof typeof forms;
  readonly shapes: number[][];
  readonly result: number[];
  readonly value: number[];
  readonly gradients: number[][];
}
const golden: Record<string, Golden> = JSON.parse(
  readFileSync(new URL("linalg.json", import.meta.url), "utf8"),
).cases;

beforeAll(() => sg.setDefaultBackend("reference"));

function wave(shape: readonly number[], shift: number): sg.Tensor {
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => {
    const value = ((i + shift) * 0.6180339887498949) ** 2;
    return (value - Math.floor(value) - 0.5) * 2;
  });
  return sg.tensor(data, { shape });
}

const one = (x: sg.Tensor) => sg.eye(x.shape[x.rank - 1]);
const forms = {
  "": (x: sg.Tensor) => x,
  definite: (x: sg.Tensor) => x.matmul(x.swapAxes()).add(one(x)),
  symmetric: (x: sg.Tensor) => x.add(x.swapAxes()),
  triangular: (x: sg.Tensor) => x.add(one(x).mul(2)),
  singular: (x: sg.Tensor) => sg.concat([x.at("...", ":-1"), x.at("...", ":1")], -1),
};

const singular = (x: sg.Tensor) => {
  const { u, vh } = x.svd();
  return sg.einsum("...ik,...kj->...kij", u, vh);
};
const cases: Record<string, (a: sg.Tensor, b: sg.Tensor) => sg.Tensor> = {
  "cholesky 1": (x) => x.cholesky(),
  "cholesky 3": (x) => x.cholesky(),
  "cholesky 17": (x) => x.cholesky(),
  "triangularSolve lower": (a, b) => a.triangularSolve(b, { upper: false }),
  "triangularSolve upper": (a, b) => a.triangularSolve(b, { upper: true }),
  "triangularSolve lower unit": (a, b) => a.triangularSolve(b, { upper: false, unitDiagonal: true }),
  "triangularSolve upper unit": (a, b) => a.triangularSolve(b, { upper: true, unitDiagonal: true }),
  solve: sg.solve,
  "solve of a vector": sg.solve,
  "solve 17": sg.solve,
  inverse: (x) => x.inverse(),
  "inverse 5": (x) => x.inverse(),
  det: (x) => x.det(),
  "det 1": (x) => x.det(),
  "det 5": (x) => x.det(),
  "det of singular ones": (x) => x.det(),
  "det of a singular one 5": (x) => x.det(),
  slogdet: (x) => x.slogdet().logAbsDet,
  "sign of slogdet": (x) => x.slogdet().sign,
  "lu p": (x) => x.lu().p,
  "lu l": (x) => x.lu().l,
  "lu u": (x) => x.lu().u,
  "qr q": (x) => x.qr().q,
  "qr r": (x) => x.qr().r,
  "qr q of a square": (x) => x.qr().q,
  "qr r of a wide one": (x) => x.qr().r,
  lstsq: sg.lstsq,
  "lstsq of a wide one": sg.lstsq,
  eigenvalues: (x) => x.eigh().eigenvalues,
  "eigenvalues 17": (x) => x.eigh().eigenvalues,
  eigenvectors: (x) => {
    const { eigenvectors: v } = x.eigh();
    return sg.einsum("...ik,...jk->...kij", v, v);
  },
  "singular values": (x) => x.svd().s,
  "singular values 17": (x) => x.svd().s,
  "singular vectors": singular,
  "singular vectors of a tall one": singular,
  "singular vectors of a wide one": singular,
  pinverse: (x) => x.pinverse(),
  "pinverse of a wide one": (x) => x.pinverse(),
  "matrixPower 3": (x) => x.matrixPower(3),
  "matrixPower -2": (x) => x.matrixPower(-2),
};

test("every golden has its case", () => {
  expect(Object.keys(cases)).toEqual(Object.keys(golden));
});

test.each(Object.keys(cases))("%s", async (name) => {
  const { form, shapes, result, value, gradients } = golden[name];
  const inputs = shapes.map((shape, i) => wave(shape, 3 + 7 * i));
  const out = cases[name](forms[form](inputs[0]), inputs[1]);
  expect(out.shape).toEqual(result);
  const near = (ours: ArrayLike<number>, theirs: readonly number[], what: string) => {
    expect(ours.length).toBe(theirs.length);
    const largest = theirs.reduce((most, each) => Math.max(most, Math.abs(each)), 1);
    theirs.forEach((each, i) => {
      const off = Math.abs(ours[i] - each) / largest;
      expect(off, `${what} ${i}: ${ours[i]}, ${each}`).toBeLessThanOrEqual(name.includes("17") ? 1e-4 : 1e-5);
    });
  };
  near(await out.data(), value, "value");
  const found = sg.gradients(out.mul(wave(out.shape, 29)).sum(), inputs);
  for (const [i, each] of found.entries()) near(await each.data(), gradients[i], `gradient ${i}`);
});
