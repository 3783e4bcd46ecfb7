// Contractions and Fourier transforms against contraction.json (made by make_contraction.py, in float64): values and gradients,
// |ours − theirs| ≤ 2·10⁻⁶·max(1, |theirs|); transforms relative to their largest number, since they sum all of them.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { wave as torchWave } from "../support/torch.ts";

interface Golden {
  readonly shapes: number[][];
  readonly result: number[];
  readonly value: number[];
  readonly gradients: number[][];
}
const golden: Record<"einsum" | "pairs" | "transforms", Record<string, Golden>> = JSON.parse(
  readFileSync(new URL("contraction.json", import.meta.url), "utf8"),
);

beforeAll(() => sg.setDefaultBackend("reference"));

const wave = (shape: readonly number[], shift: number): sg.Tensor => torchWave(shape, 2, shift);

async function compare({ shapes, result, value, gradients }: Golden, apply: (...inputs: sg.Tensor[]) => sg.Tensor) {
  const inputs = shapes.map((shape, i) => wave(shape, 3 + 7 * i));
  const out = apply(...inputs);
  expect(out.shape).toEqual(result);
  const near = (ours: ArrayLike<number>, theirs: readonly number[], what: string) => {
    expect(ours.length).toBe(theirs.length);
    const largest = theirs.reduce((most, each) => Math.max(most, Math.abs(each)), 1);
    theirs.forEach((each, i) => {
      expect(Math.abs(ours[i] - each), `${what} ${i}: ${ours[i]}, ${each}`).toBeLessThanOrEqual(2e-6 * largest);
    });
  };
  near(await out.data(), value, "value");
  const found = sg.gradients(out.mul(wave(out.shape, 29)).sum(), inputs);
  for (const [i, each] of found.entries()) near(await each.data(), gradients[i], `gradient ${i}`);
}

test.each(Object.keys(golden.einsum))("einsum %s", async (equation) => {
  await compare(golden.einsum[equation], (...inputs) => sg.einsum(equation, ...inputs));
});

const pairs: Record<string, (a: sg.Tensor, b: sg.Tensor) => sg.Tensor> = {
  "tensordot of 1": (a, b) => a.tensordot(b, 1),
  "tensordot of 2": (a, b) => a.tensordot(b),
  "tensordot of 0": (a, b) => a.tensordot(b, 0),
  "tensordot of lists": (a, b) => a.tensordot(b, [[0, 2], [2, 0]]),
  "tensordot of all": (a, b) => a.tensordot(b, [[0, 1], [1, 0]]),
  outer: sg.outer,
  dot: sg.dot,
  inner: sg.inner,
  kron: sg.kron,
  "kron of other ranks": sg.kron,
  cross: (a, b) => a.cross(b),
  "cross along an axis": (a, b) => a.cross(b, 0),
  cdist: sg.cdist,
};

describe("pairs", () => {
  test("every golden has its case", () => {
    expect(Object.keys(pairs)).toEqual(Object.keys(golden.pairs));
  });
  test.each(Object.keys(pairs))("%s", async (name) => {
    await compare(golden.pairs[name], pairs[name]);
  });
});

const transforms: Record<string, (x: sg.Tensor, n: number) => sg.Tensor> = {
  fft: (x) => x.fft(),
  ifft: (x) => x.ifft(),
  rfft: (x) => x.rfft(),
  irfft: (x, n) => x.irfft({ n }),
};
test.each(Object.keys(golden.transforms))("%s", async (name) => {
  const [transform, n] = name.split(" ");
  await compare(golden.transforms[name], (x) => transforms[transform](x, Number(n)));
});
