// Every public op by its name: gradients and second gradients of its right call against central differences in float64, or the reason why it has none.
// What a single call leaves out (other axes, modes, ties) is checked beside it, family by family.
import { describe, expect, test } from "vitest";
import { gradients } from "../../src/autograd/grad.ts";
import { type Node, reachable } from "../../src/graph/node.ts";
import * as sg from "../../src/index.ts";
import { allRecords } from "../../src/ops/define.ts";
import { samplesOf } from "../../src/ops/samples.ts";
import { mapTree } from "../../src/tensor/tree.ts";
import { checkGradients, type GradientOptions } from "../support/gradients.ts";
import { calls, functionsByName, operandOf, tensorsIn } from "../support/op-calls.ts";

/** Ops without a gradient, by the reason. */
const without: Readonly<Record<string, readonly string[]>> = {
  "its parameters are numbers": [
    ...["arange", "coordinate", "eye", "full", "linspace", "logspace", "bernoulli", "cauchy", "exponential", "gumbel"],
    ...["laplace", "logNormal", "normal", "permutation", "poisson", "randint", "truncatedNormal", "uniform"],
  ],
  "it takes integers or bools": [
    ...["bitAnd", "bitNot", "bitOr", "bitXor", "shiftLeft", "shiftRight", "oneHot"],
    ...["logicalAnd", "logicalNot", "logicalOr"],
  ],
  "it gives integers or bools": [
    ...["all", "any", "argmax", "argmin", "argsort", "categorical", "matrixRank", "searchSorted"],
    ...["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual", "isFinite", "isInf", "isNaN"],
  ],
  "it gives the same whatever its operand holds": ["fullLike", "onesLike", "zerosLike"],
  "it is flat, or held to be": ["round", "stopGradient", "gamma", "beta", "dirichlet"],
};

interface Told extends GradientOptions {
  readonly args?: () => readonly unknown[];
}
/** Where the right call doesn't do: an operand that isn't any number, or a call that gives integers. */
const told: Readonly<Record<string, Told>> = {
  batchNorm: {
    ranges: [
      [-2, 2],
      [-2, 2],
      [0.5, 2],
    ],
  },
  cast: { args: () => [sg.ones([3]), "float32"] },
  histogram: { args: () => [sg.ones([4]), { bins: 3 }] },
};

const isFloat = ({ dtype }: sg.Tensor) => dtype === "float32";
const floatsIn = (value: unknown) => tensorsIn(value).filter(isFloat);

/** The call with leaves in the places of its float32 tensors, as a function of them, all that it gives as one vector. */
function callOf(name: string, { args = calls[name].args }: Told = {}) {
  const operand = operandOf[name] ?? ((x: sg.Tensor) => x);
  const right = args();
  const operands = floatsIn(right);
  const build = (...leaves: Node[]): Node => {
    const given = mapTree(right, "", ({ value }) =>
      operands.includes(value as sg.Tensor)
        ? operand(new sg.Tensor(leaves[operands.indexOf(value as sg.Tensor)]))
        : value,
    );
    return sg.concat(floatsIn(functionsByName[name](...(given as unknown[]))).map((each) => each.reshape([-1]))).node;
  };
  return { shapes: operands.map(({ shape }) => shape), build };
}

const reasons = new Map(Object.entries(without).flatMap(([why, names]) => names.map((name) => [name, why] as const)));

describe("gradients and second gradients of every public op, by differences", () => {
  const samples = new Map(allRecords().map((record) => [record.name, record]));
  const checked = Object.keys(functionsByName).filter((name) => !reasons.has(name));
  test.each(checked)("%s", (name) => {
    sg.manualSeed(1);
    const { shapes, build } = callOf(name, told[name]);
    expect(shapes).not.toEqual([]);
    const record = samples.get(name);
    const range = record?.kind === "elementwise" ? samplesOf(record).range : ([-2, 2] as const);
    checkGradients(shapes, build, { ranges: shapes.map(() => range), tolerance: 5e-5, ...told[name] });
  });
});

describe("an op without a gradient has none for the reason that is given", () => {
  test.each([...reasons])("%s: %s", (name, why) => {
    sg.manualSeed(1);
    expect(Object.keys(functionsByName)).toContain(name);
    const args = calls[name].args();
    const outputs = tensorsIn(functionsByName[name](...args));
    const reached = new Set(reachable(outputs.map(({ node }) => node)));
    const found = {
      "its parameters are numbers": () => tensorsIn(args).length === 0,
      "it takes integers or bools": () => floatsIn(args).length === 0 && tensorsIn(args).length > 0,
      "it gives integers or bools": () => floatsIn(args).length > 0 && !outputs.some(isFloat),
      "it gives the same whatever its operand holds": () => !tensorsIn(args).some(({ node }) => reached.has(node)),
      "it is flat, or held to be": () => {
        const leaves = floatsIn(args).map(({ node }) => node);
        const { sum } = sg.ops;
        const total = sum(outputs[0]).node;
        const isZero = ({ op, attributes }: Node) => op === "full" && attributes.value === 0;
        return leaves.every((leaf) => reached.has(leaf)) && gradients(total, leaves).every(isZero);
      },
    };
    expect(found[why as keyof typeof found]()).toBe(true);
  });
});
