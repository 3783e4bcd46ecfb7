// The callbacks that there are, beside what anyone writes.

export { LoraLinear } from "../../nn/lora.ts";
export type { MonitorOptions } from "../../optim/monitored.ts";
export { BatchSizeFinder, type BatchSizeFinderOptions, type TriedBatchSize } from "./batch-size-finder.ts";
export { CheckLoss } from "./check-loss.ts";
export { ComputeNorm, type ComputeNormOptions } from "./compute-norm.ts";
export { DumpActivations, type DumpActivationsOptions } from "./dump-activations.ts";
export { DurationProfiler } from "./duration-profiler.ts";
export { EarlyStopping, type EarlyStoppingOptions } from "./early-stopping.ts";
export { type Flags, GlobalFlags, ScopedFlags, type ScopedFlagsOptions } from "./flags.ts";
export { FlopUtilization, type FlopUtilizationOptions } from "./flop-utilization.ts";
export { KeepNCheckpoints, type KeepNCheckpointsOptions } from "./keep-n-checkpoints.ts";
export { LearningRateFinder, type LearningRateFinderOptions, type TriedRate } from "./learning-rate-finder.ts";
export { LoadCheckpointStates, type LoadCheckpointStatesOptions } from "./load-checkpoint-states.ts";
export { LogOptimizerParamGroup, type LogOptimizerParamGroupOptions } from "./log-optimizer-param-group.ts";
export { Lora, type LoraOptions } from "./lora.ts";
export { ModelEvalMetrics } from "./model-eval-metrics.ts";
export { CountParams, countParameters, ModelSummary, type ModelSummaryOptions } from "./model-summary.ts";
export { NaNChecker, type NaNCheckerOptions } from "./nan-checker.ts";
export { OpProfiler, type OpProfilerOptions, type ProfiledKernel } from "./op-profiler.ts";
export { RateProfiler } from "./rate-profiler.ts";
export { SampleImages, type SampleImagesOptions } from "./sample-images.ts";
export { SamplePredictions, type SamplePredictionsOptions } from "./sample-predictions.ts";
export { SampleText, type SampleTextOptions } from "./sample-text.ts";
export { SanityValidation, type SanityValidationOptions } from "./sanity-validation.ts";
export { type CheckpointPart, SaveCheckpointState, type SaveCheckpointStateOptions } from "./save-checkpoint-state.ts";
export { SelectiveGrad, type SelectiveGradOptions } from "./selective-grad.ts";
export { SkipSamples, type SkipSamplesOptions } from "./skip-samples.ts";
export { Sparsity, type SparsityOptions } from "./sparsity.ts";
export { TensorSummaries, type TensorSummariesOptions } from "./tensor-summaries.ts";
export {
  ExponentialMovingAverage,
  type ExponentialMovingAverageOptions,
  StochasticWeightAveraging,
  type WeightAverageOptions,
} from "./weight-average.ts";
