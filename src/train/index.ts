// The Trainer and what belongs to it.

export type { PlannedGraph } from "../report/graph.ts";
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
export type {
  Callback,
  CheckpointContext,
  EpochContext,
  FitContext,
  HookName,
  Logger,
  StepContext,
  StepResult,
  TraceContext,
  TrainerOptions,
  TrainerView,
  ValidateBatchContext,
  ValidateContext,
  ValidateEpochContext,
  ValidateStepResult,
} from "./contract.ts";
export type { CheckpointMetrics } from "./evaluate.ts";
export { type Histogram, histogramOf } from "./histogram.ts";
export * from "./loggers/index.ts";
export type { Prediction } from "./predict.ts";
export type { Rebuild, ReplayOptions } from "./replay.ts";
export type {
  CheckpointChoice,
  ChosenWeights,
  EvalStep,
  EvaluateOptions,
  FitOptions,
  History,
  Loaders,
  Metrics,
  Place,
  Progress,
  Run,
  TrainStep,
  WeightsChoice,
  WeightsOptions,
} from "./run.ts";
export { summarizeScalar, summarizeTensor } from "./summarize.ts";
