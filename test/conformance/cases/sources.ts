// What comes from no tensor: the stream, fills, coordinates, constants.
import type { Node } from "../../../src/graph/node.ts";
import * as composite from "../../../src/ops/composite.ts";
import * as creation from "../../../src/ops/creation.ts";
import { full, makeNode } from "../../../src/ops/define.ts";
import * as distributions from "../../../src/ops/distributions.ts";
import * as movement from "../../../src/ops/movement.ts";
import * as random from "../../../src/ops/random.ts";
import { testData } from "../../support/graphs.ts";
import { type Computation, dtypes, floats } from "./case.ts";

export function randomCases(): Computation[] {
  const make = (name: string, build: () => Node): Computation => ({ name, inputs: [], build });
  return [
    ...[[], [1000], [3, 70]].map((shape) =>
      make(`words of the stream [${shape}]`, () => makeNode("randomWords", [], shape)),
    ),
    make("uniform [1000]", () => random.uniform([1000])),
    make("uniform [7, 3] on [−2, 5)", () => random.uniform([7, 3], -2, 5)),
    make("normal [1000]", () => random.normal([1000])),
    make("normal [5] of mean 3", () => random.normal([5], 3, 0.1)),
    ...[0, 1e-9, 0.1, 0.5, 0.999, 1].map((p) => make(`bernoulli of ${p}`, () => random.bernoulli([300], p))),
    make("randint of [0, 10)", () => random.randint([300], 0, 10)),
    make("randint of all of int32", () => random.randint([300], -(2 ** 31), 2 ** 31)),
    make("randint of one value", () => random.randint([3], 5, 6)),
    ...[0, 1, 2, 100].map((count) => make(`permutation of ${count}`, () => random.permutation(count))),
    make("dropout", () => composite.dropout(random.normal([4, 50]), 0.3)),
    make("truncatedNormal", () => distributions.truncatedNormal([300], 1, 2, { low: -1, high: Infinity })),
    ...([distributions.exponential, distributions.gumbel, distributions.laplace, distributions.cauchy] as const).map(
      (f) => make(f.name, () => f([1025])),
    ),
    make("logNormal", () => distributions.logNormal([3, 17], 1, 0.5)),
    make("gamma", () => distributions.gamma([17], 0.7, 2)),
    make("beta", () => distributions.beta([17], 0.7, 2)),
    make("dirichlet", () => distributions.dirichlet([5], full([3], 0.3))),
    make("poisson", () => distributions.poisson([17], 2.5)),
    make("categorical", () => distributions.categorical(random.normal([3, 17]), 5)),
    make("choice by weight", () => distributions.choice(4, 300, { weights: [1, 0, 3, 5] })),
    make("choice without replacement", () => distributions.choice(17, 5, { replace: false })),
    make("choice without replacement, by weight", () =>
      distributions.choice(17, 5, { replace: false, weights: Array.from({ length: 17 }, (_, i) => i % 6) }),
    ),
    make("choice of rows", () => distributions.choice(random.normal([5, 3]), 17)),
    make("shuffle", () => distributions.shuffle(random.normal([3, 17]), 1)),
    make("nothing random", () => random.uniform([0, 3])),
  ];
}

export function creationCases(): Computation[] {
  const make = (name: string, build: () => Node): Computation => ({ name, inputs: [], build });
  return [
    ...dtypes.map((dtype) => make(`full of ${dtype}`, () => full([2, 3], 1, dtype))),
    ...[-0, NaN, Infinity, 0.1, 1e-45].map((x) => make(`full of ${Object.is(x, -0) ? "-0" : x}`, () => full([3], x))),
    make("full of a scalar", () => full([], 7)),
    make("full of nothing", () => full([0], 7)),
    ...[0, 1, 2].map((axis) => make(`coordinate along ${axis}`, () => creation.coordinate([2, 3, 4], axis))),
    make("arange", () => creation.arange(5)),
    make("arange of floats", () => creation.arange(1, 3, { step: 0.3, dtype: "float32" })),
    make("arange backwards", () => creation.arange(5, -5, { step: -3 })),
    make("eye", () => creation.eye(3, { columns: 5 })),
    make("coordinates moved", () => movement.flip(movement.transpose(creation.coordinate([3, 4], 1)), 0)),
    make("coordinates in other rows", () => movement.reshape(creation.coordinate([4, 6], 1), [3, 8])),
    make("constant", () =>
      creation.fromValues([
        [1, -0, NaN],
        [2, 3, 4],
      ]),
    ),
    make("constant of int32", () => creation.fromValues([2 ** 31 - 1, -(2 ** 31)], "int32")),
    make("constant of bool", () => creation.fromValues([true, false, true])),
    { name: "one-hot", inputs: [testData([3, 2], "int32", [0, 4.9])], build: (i) => creation.oneHot(i, 5) },
    { name: "input", inputs: [floats([4])], build: (x) => x },
  ];
}
