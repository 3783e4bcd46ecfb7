// Gradients and second gradients of normalisation, against central differences in float64.
import { test } from "vitest";
import { mul } from "../../src/ops/elementwise.ts";
import * as norm from "../../src/ops/norm.ts";
import { checkGradients as check } from "../support/gradients.ts";

test("normalisation", () => {
  const [tolerance, channels] = [5e-5, [[3], [3]]] as const;
  check([[2, 5], [5], [5]], (x, w, b) => norm.layerNorm(x, w, b), { tolerance });
  check([[4, 3], ...channels], (x, w, b) => norm.batchNormTraining(x, w, b).output, { tolerance });
  check([[2, 3, 2, 2], ...channels], (x, w, b) => norm.batchNormTraining(x, w, b).output, { tolerance });
  check([[2, 3, 2], ...channels, ...channels], (x, w, b, m, v) => norm.batchNorm(x, m, mul(v, v), w, b), {
    tolerance,
    ranges: [
      [-2, 2],
      [-2, 2],
      [-2, 2],
      [-2, 2],
      [1, 2],
    ],
  });
  check([[2, 4, 2], [4], [4]], (x, w, b) => norm.groupNorm(x, 2, w, b), { tolerance });
  check([[2, 2, 4]], (x) => norm.instanceNorm(x), { tolerance });
  check([[2, 5], [5]], (x, w) => norm.rmsNorm(x, w), { tolerance });
});
