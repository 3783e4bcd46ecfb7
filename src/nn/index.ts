// Layers and models.

export * from "./attention.ts";
export * from "./basic.ts";
export * from "./channelnorm.ts";
export * from "./cnn.ts";
export * from "./conv.ts";
export { freeze, functionalCall, unfreeze } from "./functional.ts";
export * from "./gpt.ts";
export * from "./heat-pinn.ts";
export type { Fan, GainOptions, Init, InitName, KaimingOptions, Nonlinearity } from "./init.ts";
export * as init from "./initialisers.ts";
export { type LoadOptions, load, save } from "./load.ts";
export * from "./lstm-language-model.ts";
export * from "./mlp.ts";
export * from "./nonlinearities.ts";
export { LayerNorm, type LayerNormOptions, layerNorm, RmsNorm, type RmsNormOptions, rmsNorm } from "./norm.ts";
export * from "./pool.ts";
export * from "./positions.ts";
export * from "./prelu.ts";
export * from "./recurrent.ts";
export * from "./resample.ts";
export { summary } from "./summary.ts";
export * from "./transformer.ts";
export * from "./vae.ts";
export * from "./vit.ts";
export * from "./weightnorm.ts";
