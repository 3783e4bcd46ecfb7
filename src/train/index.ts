// The Trainer and what belongs to it.

export type { PlannedGraph } from "../report/graph.ts";
export * from "./callbacks/index.ts";
export { trainerOptions } from "./config/build.ts";
export { configJsonSchema } from "./config/json-schema.ts";
export type { ResolvedOptions, TrainerOptions } from "./config/options.ts";
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
export type { CheckpointMetrics } from "./evaluate.ts";
export type { CheckpointChoice, FitOptions, Run } from "./fit.ts";
export { type Histogram, histogramOf } from "./histogram.ts";
export type {
  Callback,
  CheckpointContext,
  FitContext,
  Logger,
  Metrics,
  StepContext,
  StepResult,
  TraceContext,
  ValidateBatchContext,
  ValidateContext,
  ValidateStepResult,
} from "./hooks.ts";
export { CSVLogger } from "./loggers/csv.ts";
export { JSONLLogger } from "./loggers/jsonl.ts";
export { ProgressLogger } from "./loggers/progress.ts";
export { ReportLogger } from "./loggers/report.ts";
export { TensorBoardLogger } from "./loggers/tensorboard.ts";
export type { Prediction } from "./predict.ts";
export type { Rebuild, ReplayOptions } from "./replay.ts";
export { summarizeScalar, summarizeTensor } from "./summarize.ts";
