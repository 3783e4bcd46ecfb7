// What every optimizer is made of, the two that most models are trained with, and clipping.
export { Adam, type AdamOptions, adam, adamW } from "./adam.ts";
export { clipByGlobalNorm, clipByValue, globalNorm } from "./clip.ts";
export type { Evaluated, Objective, Passes } from "./objective.ts";
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
export { SGD, type SGDOptions, sgd } from "./sgd.ts";
