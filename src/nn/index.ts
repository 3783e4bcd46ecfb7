// Layers and models.

export { SelfAttention, type SelfAttentionOptions, selfAttention } from "./attention.ts";
export * from "./basic.ts";
export { BatchNorm, type BatchNormOptions, batchNorm1d, batchNorm2d, batchNorm3d } from "./batchnorm.ts";
export * from "./block.ts";
export * from "./cnn.ts";
export * from "./conv.ts";
export { freeze, functionalCall, unfreeze } from "./functional.ts";
export * from "./gpt.ts";
export * from "./groupnorm.ts";
export * from "./heat-pinn.ts";
export type { Fan, GainOptions, Init, InitName, KaimingOptions, Nonlinearity } from "./init.ts";
export * as init from "./initialisers.ts";
export * from "./instancenorm.ts";
export { LayerNorm, layerNorm } from "./layernorm.ts";
export { type LoadOptions, load, save } from "./load.ts";
export * from "./lstm-language-model.ts";
export * from "./mlp.ts";
export * from "./multihead.ts";
export {
  celu,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  selu,
  silu,
} from "./nonlinearities.ts";
export * from "./pool.ts";
export * from "./positions.ts";
export * from "./prelu.ts";
export * from "./recurrent.ts";
export * from "./resample.ts";
export * from "./rmsnorm.ts";
export { summary } from "./summary.ts";
export * from "./transformer.ts";
export * from "./vae.ts";
export * from "./vit.ts";
export * from "./weightnorm.ts";
