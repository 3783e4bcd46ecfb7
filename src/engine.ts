// All that computes: every op, layer, loss, metric, optimizer and transformation; no trainer, no data sets, no files of runs.
export * from "./core.ts";
export { printGraph } from "./graph/print.ts";
export * as nn from "./nn/index.ts";
export * as losses from "./nn/losses.ts";
export * as metrics from "./nn/metrics.ts";
export * as optim from "./optim/index.ts";
export * from "./tensor/functions.ts";
export { ops } from "./tensor/functions.ts";
export * from "./transforms.ts";
