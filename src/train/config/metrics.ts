// The metrics that a config may name: `metrics: [accuracy, {f_beta: {beta: 2}}]`.
import * as nn from "../../nn/metrics.ts";
import { Catalog } from "./catalog.ts";
import { losses } from "./losses.ts";
import { count, live, rate, word } from "./values.ts";

const average = { average: word(["macro", "micro", "weighted", "binary"]).default("macro") };

export const metrics = new Catalog<nn.Metric, void, "class">(
  "metric",
  "class",
  "a metric: its name, or a map with one key",
)
  .add("accuracy", {}, () => nn.accuracy())
  .add("top_k_accuracy", { k: count.default(5) }, (options) => nn.topKAccuracy(options))
  .add("per_class_accuracy", {}, () => nn.perClassAccuracy())
  .add("precision", average, (options) => nn.precision(options))
  .add("recall", average, (options) => nn.recall(options))
  .add("f_beta", { beta: rate.default(1), ...average }, (options) => nn.fBeta(options))
  .add("dice", average, (options) => nn.dice(options))
  .add("mean_iou", {}, () => nn.meanIoU())
  .add("precision_at_k", { k: count }, (options) => nn.precisionAtK(options))
  .add("recall_at_k", { k: count }, (options) => nn.recallAtK(options))
  .add("auc", { bins: count.optional() }, (options) => nn.auc(options))
  .add("perplexity", {}, () => nn.perplexity())
  .add("mean", { loss: live(() => losses.schema) }, ({ loss }) =>
    nn.mean(losses.make(loss), `mean_${loss.class}`, { mode: "min" }),
  );
