// The callbacks that there are, beside what anyone writes.
export { CheckLoss } from "./check-loss.ts";
export { ComputeNorm, type ComputeNormOptions } from "./compute-norm.ts";
export { DurationProfiler } from "./duration-profiler.ts";
export { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
export { LoadCheckpointStates, type LoadCheckpointStatesOptions } from "./load-checkpoint-states.ts";
export { LogOptimizerParamGroup, type LogOptimizerParamGroupOptions } from "./log-optimizer-param-group.ts";
export { CountParams, countParameters, ModelSummary, type ModelSummaryOptions } from "./model-summary.ts";
export type { MonitorOptions } from "./monitor.ts";
export { NaNChecker, type NaNCheckerOptions } from "./nan-checker.ts";
export { RateProfiler } from "./rate-profiler.ts";
export { SanityValidation, type SanityValidationOptions } from "./sanity-validation.ts";
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  StochasticWeightAveraging,
  type WeightAverageOptions,
} from "./weight-average.ts";
