// Sorting and what is made of it, cumulative sums and extremes, histograms.
import { family, type Methods } from "../family.ts";
import { methods } from "../members/sorting.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods);

export const {
  argsort,
  bincount,
  cummax,
  cummin,
  cumprod,
  cumsum,
  histogram,
  logCumSumExp,
  median,
  quantile,
  scatterMax,
  scatterMin,
  searchSorted,
  sort,
  topK,
} = ops;
