// Losses, and their gradients by the outputs: terms of each, where every branch is taken.
import type { Node } from "../../../src/graph/node.ts";
import * as losses from "../../../src/nn/losses.ts";
import { gradients } from "../../../src/program/gradients.ts";
import { concat, tensor } from "../../../src/tensor/functions.ts";
import { Tensor } from "../../../src/tensor/tensor.ts";
import { testData } from "../../support/graphs.ts";
import { type Computation, floats } from "./case.ts";

const classes = { classWeights: [0.5, 1, 0, 2, 3], ignoreIndex: 3 };

/** A loss of each, with its options, and shapes of outputs and integer targets below a bound. */
export const lossCalls: Readonly<
  Record<string, readonly [(outputs: Tensor, targets: Tensor) => Tensor, readonly number[], readonly number[], number]>
> = {
  crossEntropy: [(x, t) => losses.crossEntropy(x, t, { labelSmoothing: 0.1, ...classes }), [17, 5], [17], 4.9],
  nll: [(x, t) => losses.nll(x, t, classes), [3, 2, 5], [3, 2], 4.9],
  multiMargin: [(x, t) => losses.multiMargin(x, t, { power: 2 }), [17, 5], [17], 4.9],
  focal: [(x, t) => losses.focal(x, t, { gamma: 1.5 }), [17, 5], [17], 4.9],
  "focal of two": [(x, t) => losses.focal(x, t, { alpha: 0.3 }), [17], [17], 1.9],
  klDivergence: [(x, t) => losses.klDivergence(x, t), [17, 3], [17, 3], 1.9],
  binaryCrossEntropy: [(x, t) => losses.binaryCrossEntropy(x, t, { positiveWeight: [1, 2, 3] }), [17, 3], [17, 3], 1.9],
  hinge: [(x, t) => losses.hinge(x, t), [17], [17], 1.9],
  mse: [(x, t) => losses.mse(x, { targets: t, sampleWeights: tensor([1, 0, 3]) }), [3, 17], [3, 17], 3],
  l1: [(x, t) => losses.l1(x, t), [17], [17], 3],
  smoothL1: [(x, t) => losses.smoothL1(x, t, { reduction: "sum" }), [33], [33], 3],
  huber: [(x, t) => losses.huber(x, t, { reduction: "none" }), [17], [17], 3],
  gaussianNll: [(x, t) => losses.gaussianNll(x, t, { full: true }), [17, 2], [17], 3],
  poissonNll: [(x, t) => losses.poissonNll(x, t, { full: true }), [17], [17], 5],
  cosineEmbedding: [(x, t) => losses.cosineEmbedding(x, t), [17, 2, 3], [17], 1.9],
  tripletMargin: [(x) => losses.tripletMargin(x, {}, { swap: true }), [17, 3, 5], [1], 1],
  ctc: [(x, t) => losses.ctc(x, { targets: t, inputLengths: tensor([4, 3], "int32") }), [2, 4, 3], [2, 2], 2.9],
  infoNce: [(x) => losses.infoNce(x, {}, { symmetric: true }), [7, 2, 5], [1], 1],
};

export function lossCases(): Computation[] {
  return Object.entries(lossCalls).map(([name, [loss, shape, targets, most]], i) => ({
    name: `${name} and its gradient`,
    inputs: [floats(shape, 31 + i), testData(targets, "int32", [0, most], 7)],
    build: (x: Node, t: Node) => {
      const outputs = new Tensor(x);
      const value = loss(outputs, new Tensor(t));
      const flat = (part: Tensor) => part.reshape([-1]);
      return concat([flat(value), flat(gradients(value.sum(), [outputs])[0])]).node;
    },
  }));
}
