// The Trainer and what belongs to it.

export { type Histogram, histogramOf } from "../io/histogram.ts";
export { summarizeScalar, summarizeTensor } from "../nn/summarize.ts";
export type { PlannedGraph } from "../report/graph.ts";
export type { History } from "../run/history.ts";
export * from "./callbacks/index.ts";
export { trainerOptions } from "./config/build.ts";
export { configJsonSchema } from "./config/json-schema.ts";
export type { ResolvedSettings, RunConfig, TrainerSettings } from "./config/options.ts";
export {
  type ConfigOverrides,
  configHash,
  configToYaml,
  continuePhase,
  loadConfig,
  loadPhases,
  parseConfig,
  parsePhases,
} from "./config/parse.ts";
export { type GivenOptions, type Registrable, register } from "./config/register.ts";
export type { Config } from "./config/schema.ts";
export type { CheckpointOptions, LoggingOptions, LoopOptions, PrecisionOptions } from "./config/shared.ts";
export type * from "./contract.ts";
export type { CheckpointMetrics } from "./evaluate.ts";
export * from "./loggers/index.ts";
export type { Prediction } from "./predict.ts";
export type { Rebuild, ReplayOptions } from "./replay.ts";
export type * from "./run.ts";
