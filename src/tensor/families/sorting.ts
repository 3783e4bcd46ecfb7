// Sorting and what is made of it, cumulative sums and extremes, histograms.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/sorting.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const { sort, argsort, topK, median, quantile, searchSorted } = ops;
export const { cumsum, cumprod, cummax, cummin, logCumSumExp } = ops;
export const { bincount, histogram, scatterMax, scatterMin } = ops;
