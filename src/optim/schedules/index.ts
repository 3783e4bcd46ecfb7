// Schedules of learning rates and weight decays.
export {
  type ChainedOptions,
  chainedLR,
  chainedWD,
  type ScalePerParamOptions,
  type SequentialOptions,
  scalePerParamLR,
  sequentialLR,
  sequentialWD,
} from "./compose.ts";
export * from "./cycle.ts";
export * from "./decay.ts";
export { reduceOnPlateauLR, reduceOnPlateauWD } from "./plateau.ts";
export type { MetricDriven, Schedule, ScheduleKey, Targets } from "./schedule.ts";
export { Schedules } from "./schedules.ts";
