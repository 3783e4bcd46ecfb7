// Metrics: terms that a graph computes a batch, added up on the host over batches, and numbers out of the totals.
export {
  type Average,
  confusionMatrix,
  dice,
  fBeta,
  meanIoU,
  perClassAccuracy,
  precision,
  recall,
} from "./metrics/confusion.ts";
export { accuracy, bitsPerCharacter, mean, perplexity } from "./metrics/mean.ts";
export type { IgnoredOptions, Metric } from "./metrics/metric.ts";
export { auc, precisionAtK, recallAtK, topKAccuracy } from "./metrics/ranking.ts";
export { mae, mape, r2, rmse } from "./metrics/regression.ts";
