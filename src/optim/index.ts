// Optimizers, clipping and schedules.
export * from "./basic.ts";
export { type GlobGroup, parameterGroups } from "./groups.ts";
export * from "./optimizers.ts";
export * from "./schedules/index.ts";
export * from "./wrappers.ts";
