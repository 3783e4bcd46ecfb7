// Optimizers, clipping and schedules.
export { clipByGlobalNorm, clipByValue, globalNorm } from "./clip.ts";
export { type GlobGroup, parameterGroups } from "./groups.ts";
export {
  type GroupOptions,
  Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
  type ParametersOrGroups,
  type Rules,
  type Update,
  type Updated,
  zeroSlots,
} from "./optimizer.ts";
export * from "./optimizers.ts";
export * from "./schedules/index.ts";
export * from "./wrappers.ts";
