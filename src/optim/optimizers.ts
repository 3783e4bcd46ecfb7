// The optimizers that a config may name, with their makers.
export { Adadelta, type AdadeltaOptions, adadelta } from "./adadelta.ts";
export { Adafactor, type AdafactorOptions, adafactor } from "./adafactor.ts";
export { Adagrad, type AdagradOptions, adagrad } from "./adagrad.ts";
export { Adam, type AdamOptions, adam, adamW } from "./adam.ts";
export { Adamax, type AdamaxOptions, adamax } from "./adamax.ts";
export { ASGD, type ASGDOptions, asgd } from "./asgd.ts";
export { Lamb, type LambOptions, lamb } from "./lamb.ts";
export { LBFGS, type LBFGSOptions, lbfgs } from "./lbfgs.ts";
export { Lion, type LionOptions, lion } from "./lion.ts";
export { Muon, type MuonOptions, muon } from "./muon.ts";
export { NAdam, type NAdamOptions, nadam } from "./nadam.ts";
export { orthogonalize } from "./orthogonalize.ts";
export { RAdam, type RAdamOptions, radam } from "./radam.ts";
export { RMSprop, type RMSpropOptions, rmsprop } from "./rmsprop.ts";
export { Rprop, type RpropOptions, rprop } from "./rprop.ts";
export { SGD, type SGDOptions, sgd } from "./sgd.ts";
