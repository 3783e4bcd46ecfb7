// Contractions and Fourier transforms: einsum's forms, products of two, and lengths of each kind.
import type { Shape } from "../../../src/core/shape.ts";
import type { Node } from "../../../src/graph/node.ts";
import * as contraction from "../../../src/ops/contraction.ts";
import { einsum } from "../../../src/ops/einsum.ts";
import { mul } from "../../../src/ops/elementwise.ts";
import * as fft from "../../../src/ops/fft.ts";
import { roughData, testData } from "../../support/graphs.ts";
import type { Computation } from "./case.ts";

const forms: readonly [string, ...Shape[]][] = [
  ["ij,jk->ik", [3, 17], [17, 5]],
  ["ij,jk->ki", [33, 300], [300, 17]],
  ["bhqd,bhkd->bhqk", [2, 3, 5, 7], [2, 3, 4, 7]],
  ["bqhd,bkhd->bhqk", [2, 5, 3, 4], [2, 4, 3, 4]],
  ["i,i", [1025], [1025]],
  ["i,j->ji", [3], [17]],
  ["ii->i", [5, 5]],
  ["iij->", [3, 3, 2]],
  ["...ij,...jk", [2, 1, 3, 4], [5, 4, 2]],
  ["...i,i", [2, 1, 2, 1, 2, 3], [3]],
  ["ij,ij->ij", [3, 5], [3, 1]],
  ["ij,jk,kl->il", [2, 3], [3, 4], [4, 2]],
  ["bn,anm,bm->ba", [2, 3], [4, 3, 5], [2, 5]],
  [",i->i", [], [3]],
  ["ij,jk->ik", [0, 3], [3, 2]],
  ["ij,jk->ik", [2, 0], [0, 2]],
];
const pairs: Readonly<Record<string, [(a: Node, b: Node) => Node, Shape, Shape]>> = {
  "tensordot of two axes": [(a, b) => contraction.tensordot(a, b), [3, 2, 5], [2, 5, 4]],
  "tensordot of none": [(a, b) => contraction.tensordot(a, b, 0), [3], [2, 2]],
  outer: [contraction.outer, [17], [3]],
  dot: [contraction.dot, [1025], [1025]],
  inner: [contraction.inner, [3, 5], [5]],
  kron: [contraction.kron, [2, 3], [3, 1, 2]],
  cross: [contraction.cross, [3, 3], [1, 3]],
  cdist: [contraction.cdist, [5, 3], [2, 4, 3]],
};

export function contractionCases(): Computation[] {
  const cases: Computation[] = forms.map(([equation, ...shapes]) => ({
    name: `einsum ${equation} of ${shapes.map((shape) => `[${shape}]`).join(" and ")}`,
    inputs: shapes.map((shape, i) => roughData(shape, i + 1)),
    build: (...inputs) => mul(einsum(equation, ...inputs), 1.5),
  }));
  cases.push({
    name: "einsum of int32",
    inputs: [testData([3, 4], "int32", [-9, 9]), testData([4, 2], "int32", [-9, 9], 2)],
    build: (a, b) => einsum("ij,jk->ki", a, b),
  });
  for (const [name, [build, a, b]] of Object.entries(pairs))
    cases.push({ name, inputs: [roughData(a), roughData(b, 2)], build });
  for (const n of [1, 2, 3, 16, 17, 30, 131])
    cases.push({ name: `fft of ${n}`, inputs: [roughData([2, n, 2])], build: fft.fft });
  for (const n of [5, 64, 1025])
    cases.push({
      name: `irfft of rfft of ${n}`,
      inputs: [roughData([3, n])],
      build: (x) => fft.irfft(fft.rfft(x), { n }),
    });
  cases.push({ name: "ifft of 12", inputs: [roughData([1, 2, 12, 2])], build: fft.ifft });
  return cases;
}
