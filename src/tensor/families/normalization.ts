// Normalization of layers, batches, groups and instances.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/normalization.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const { batchNorm, batchNormTraining, groupNorm, instanceNorm, layerNorm, rmsNorm } = ops;
