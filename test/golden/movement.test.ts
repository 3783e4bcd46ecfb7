// Movement ops against movement.json (made by make_movement.py). Indexing: NumPy's shapes and elements, exactly. Ops: PyTorch's values, exactly, since
// they compute nothing, but for `trace` and `at`, a sum; gradients |ours − theirs| ≤ 10⁻⁷ + 10⁻⁶·|theirs|, since sums of several have another order.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import * as sg from "../../src/index.ts";
import { wave as torchWave } from "../support/torch.ts";

type Given = number | null | "..." | { start?: number | null; stop?: number | null; step?: number | null } | Points;
interface Points {
  readonly shape: number[];
  readonly data: number[];
}
const golden: {
  indexing: { shape: number[]; indices: Given[]; result: number[]; data: number[] }[];
  ops: Record<string, { shape: number[]; result: number[]; value: number[]; gradient: number[] }>;
  spaces: Record<string, number[]>;
} = JSON.parse(readFileSync(new URL("movement.json", import.meta.url), "utf8"));

beforeAll(() => sg.setDefaultBackend("reference"));

const sizeOf = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

const wave = (shape: readonly number[], scale = 4, shift = 0): sg.Tensor => torchWave(shape, scale, shift);

const asText = ({ start, stop, step }: { start?: number | null; stop?: number | null; step?: number | null }) =>
  `${start ?? ""}:${stop ?? ""}${step === null ? "" : `:${step}`}`;
const asRange = (given: { start?: number | null; stop?: number | null; step?: number | null }) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));

test("indexing is NumPy's, with ranges as text and as records", async () => {
  for (const { shape, indices, result, data } of golden.indexing) {
    const x = sg.arange(sizeOf(shape)).reshape(shape);
    for (const range of [asText, asRange]) {
      const given = indices.map((index) => {
        if (index === null || typeof index !== "object") return index;
        return "data" in index ? sg.tensor(Int32Array.from(index.data), { shape: index.shape }) : range(index);
      });
      const out = x.at(...given);
      const what = `${JSON.stringify(shape)} at ${JSON.stringify(indices)}`;
      expect([what, ...out.shape]).toEqual([what, ...result]);
      expect([what, ...(await out.data())]).toEqual([what, ...data]);
    }
  }
});

const scaled = (parts: readonly sg.Tensor[]) => parts.map((part, i) => part.mul(i + 1));
const picks = sg.tensor(
  Array.from({ length: 2 }, (_, i) => Array.from({ length: 6 }, (_, j) => (i * 7 + j * 3) % 4)),
  "int32",
);
const int = (...values: number[]) => sg.tensor(values, "int32");
const padded = (mode: "reflect" | "replicate" | "circular", rows: readonly [number, number]) => (x: sg.Tensor) =>
  x.pad([[0, 0], rows, [3, 1]], mode);

const ops: Record<string, (x: sg.Tensor) => sg.Tensor> = {
  squeeze: (x) => x.squeeze(),
  "squeeze of one": (x) => x.squeeze(-1),
  expandDims: (x) => x.expandDims([1, -1]),
  moveAxis: (x) => x.moveAxis([0, 2], [2, 1]),
  flatten: (x) => x.flatten(1),
  split: (x) => sg.concat(scaled(x.split([2, 0, 4, 1]))),
  chunk: (x) => sg.concat(scaled(x.chunk(3, 1)), 1),
  unstack: (x) => sg.stack(scaled(x.unstack(1))),
  tile: (x) => x.tile([2, 3, 2]),
  repeatInterleave: (x) => x.repeatInterleave(3, 1),
  "repeatInterleave by counts": (x) => x.repeatInterleave([2, 0, 1, 3], 1),
  "repeatInterleave of all": (x) => x.repeatInterleave(2),
  roll: (x) => x.roll([2, -6], [0, 2]),
  "roll of all": (x) => x.roll(-7),
  rot90: (x) => x.rot90(1, [2, 0]),
  "rot90 backwards": (x) => x.rot90(-1, [1, 2]),
  triu: (x) => x.triu(1),
  tril: (x) => x.tril(-2),
  "diag of a vector": (x) => x.diag(-2),
  "diag of a matrix": (x) => x.diag(2),
  diagonal: (x) => x.diagonal({ offset: -1, axis1: 2, axis2: 0 }),
  trace: (x) => x.trace(),
  "pad reflect": padded("reflect", [0, 2]),
  "pad replicate": padded("replicate", [0, 2]),
  "pad circular": padded("circular", [0, 4]),
  takeAlongAxis: (x) => x.takeAlongAxis(picks, 0),
  at: (x) =>
    x
      .at("1:", int(0, 5, 0))
      .mul(2)
      .add(x.at(int(3, 3, 1)).at(":", int(1, 1, 2))),
};
const summed = new Set(["trace", "at"]);

describe("ops", () => {
  test("every golden has its case", () => {
    expect(Object.keys(ops)).toEqual(Object.keys(golden.ops));
  });

  test.each(Object.keys(ops))("%s", async (name) => {
    const { shape, result, value, gradient } = golden.ops[name];
    const x = wave(shape, 4, 3);
    const out = ops[name](x);
    expect(out.shape).toEqual(result);
    const within = (theirs: number, exact: boolean) => (exact ? 0 : 1e-7 + 1e-6 * Math.abs(theirs));
    const compare = (ours: ArrayLike<number>, theirs: readonly number[], exact: boolean) => {
      expect(ours.length).toBe(theirs.length);
      theirs.forEach((each, i) => {
        expect(Math.abs(ours[i] - Math.fround(each)), `${i}: ${ours[i]}, ${each}`).toBeLessThanOrEqual(within(each, exact));
      });
    };
    compare(await out.data(), value, !summed.has(name));
    const loss = out.mul(wave(out.shape, 2, 29)).sum();
    compare(await sg.gradients(loss, [x])[0].data(), gradient, false);
  });
});

test("linspace and logspace are NumPy's float64 rounded once", async () => {
  const ours = {
    linspace: sg.linspace(-1.3, 7.1, 23),
    logspace: sg.logspace(-3, 2, 11),
    "logspace of 2": sg.logspace(-4, 5, 10, 2),
  };
  expect(Object.keys(ours)).toEqual(Object.keys(golden.spaces));
  for (const [name, made] of Object.entries(ours))
    expect([name, ...(await made.data())]).toEqual([name, ...golden.spaces[name].map(Math.fround)]);
});
