// Optimizers, clipping and schedules.
export { Adam, type AdamOptions, adam, adamW } from "./adam.ts";
export { clipByGlobalNorm, clipByValue, globalNorm } from "./clip.ts";
export { type GroupOptions, Optimizer, type OptimizerOptions, type ParameterGroup, type Update } from "./optimizer.ts";
export { constantLR, cosineDecayLR, type DecayOptions, linearLR, type Schedule, sequentialLR } from "./schedulers.ts";
export { SGD, type SGDOptions, sgd } from "./sgd.ts";
