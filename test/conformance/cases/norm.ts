// Normalisation: values and gradients, at shapes of one value, odd ones, and views.
import { gradients } from "../../../src/autograd/grad.ts";
import type { Node } from "../../../src/graph/node.ts";
import { mul } from "../../../src/ops/elementwise.ts";
import { concat, reshape, swapAxes } from "../../../src/ops/movement.ts";
import * as norm from "../../../src/ops/norm.ts";
import { sum } from "../../../src/ops/reduce.ts";
import { type Computation, floats } from "./case.ts";

/** A result and the gradients of the sum of its squares, as one vector. */
const whole = (result: Node, inputs: readonly Node[]) =>
  concat([result, ...gradients(sum(mul(result, result)), inputs)].map((x) => reshape(x, [-1])));

const shapes = [
  [3, 1],
  [17, 5],
  [2, 3, 17],
  [3, 4, 5, 3],
  [2, 2, 3, 2, 5],
  [2, 3, 1025],
  [130, 2, 3],
];

export function normCases(): Computation[] {
  const x = floats([6, 10], 4);
  return [
    { name: "layerNorm", inputs: [x, floats([10]), floats([10], 2)], build: (a, w, b) => norm.layerNorm(a, w, b) },
    { name: "rmsNorm", inputs: [x, floats([10])], build: (a, w) => whole(norm.rmsNorm(a, w), [a, w]) },
    { name: "rmsNorm of one axis of a view", inputs: [x, floats([6])], build: (a, w) => norm.rmsNorm(swapAxes(a), w) },
    ...shapes.flatMap((shape): Computation[] => {
      const [, channels] = shape;
      const four = [floats(shape, 5), floats([channels], 6), floats([channels], 7)];
      return [
        {
          name: `batchNormTraining of [${shape}]`,
          inputs: four,
          build: (a, w, b) => {
            const { output, mean, variance } = norm.batchNormTraining(a, w, b);
            return concat([whole(output, [a, w, b]), mean, variance]);
          },
        },
        {
          name: `batchNorm of [${shape}]`,
          inputs: [...four, floats([channels], 8)],
          build: (a, w, b, m) => whole(norm.batchNorm(a, m, mul(m, m), w, b, { epsilon: 1e-3 }), [a, w, b]),
        },
        {
          name: `groupNorm of [${shape}]`,
          inputs: four,
          build: (a, w, b) => whole(norm.groupNorm(a, channels % 2 === 0 ? 2 : 1, w, b), [a, w, b]),
        },
      ];
    }),
    {
      name: "instanceNorm of a view",
      inputs: [floats([3, 4, 5, 2], 9)],
      build: (a) => whole(norm.instanceNorm(swapAxes(a, 1, 3)), [a]),
    },
    {
      name: "batchNorm of no samples",
      inputs: [floats([0, 3, 2]), floats([3])],
      build: (a, m) => norm.batchNorm(a, m, m),
    },
  ];
}
