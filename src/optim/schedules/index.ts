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
export * from "./named.ts";
export type { Schedule, ScheduleKey, Steering, Targets } from "./schedule.ts";
export { Schedules } from "./schedules.ts";
