// Optimizers, clipping and schedules.
export { Adadelta, type AdadeltaOptions, adadelta } from "./adadelta.ts";
export { Adafactor, type AdafactorOptions, adafactor } from "./adafactor.ts";
export { Adagrad, type AdagradOptions, adagrad } from "./adagrad.ts";
export { Adam, type AdamOptions, adam, adamW } from "./adam.ts";
export { Adamax, type AdamaxOptions, adamax } from "./adamax.ts";
export { ASGD, type ASGDOptions, asgd } from "./asgd.ts";
export { clipByGlobalNorm, clipByValue, globalNorm } from "./clip.ts";
export { type GlobGroup, parameterGroups } from "./groups.ts";
export { Lamb, type LambOptions, lamb } from "./lamb.ts";
export { Lion, type LionOptions, lion } from "./lion.ts";
export { Muon, type MuonOptions, muon, orthogonalize } from "./muon.ts";
export { NAdam, type NAdamOptions, nadam } from "./nadam.ts";
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
export { RAdam, type RAdamOptions, radam } from "./radam.ts";
export { RMSprop, type RMSpropOptions, rmsprop } from "./rmsprop.ts";
export { Rprop, type RpropOptions, rprop } from "./rprop.ts";
export * from "./schedules/index.ts";
export { SGD, type SGDOptions, sgd } from "./sgd.ts";
