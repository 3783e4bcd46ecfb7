// Layers and models.
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
} from "./activations.ts";
export { SelfAttention, type SelfAttentionOptions, selfAttention } from "./attention.ts";
export * from "./basic.ts";
export { BatchNorm, type BatchNormOptions, batchNorm1d, batchNorm2d, batchNorm3d } from "./batchnorm.ts";
export { TransformerBlock, transformerBlock } from "./block.ts";
export { type CnnOptions, cnn } from "./cnn.ts";
export {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvCall,
  type ConvOptions,
  Convolution,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeCall,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "./conv.ts";
export { freeze, functionalCall, unfreeze } from "./functional.ts";
export { Gpt, type GptOptions, gpt } from "./gpt.ts";
export { GroupNorm, type GroupNormOptions, groupNorm } from "./groupnorm.ts";
export { HeatPinn, type HeatPinnOptions, heatPinn } from "./heat-pinn.ts";
export type {
  Fan,
  GainOptions,
  Init,
  InitName,
  KaimingOptions,
  Nonlinearity,
} from "./init.ts";
export { init } from "./initialisers.ts";
export { InstanceNorm, type InstanceNormOptions, instanceNorm } from "./instancenorm.ts";
export { LayerNorm, layerNorm } from "./layernorm.ts";
export { type LoadOptions, load, save } from "./load.ts";
export { LstmLanguageModel, type LstmLanguageModelOptions, lstmLanguageModel } from "./lstm-language-model.ts";
export { type MlpOptions, mlp } from "./mlp.ts";
export { MultiHeadAttention, type MultiHeadAttentionOptions, multiHeadAttention } from "./multihead.ts";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  type AdaptivePoolCall,
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  type AvgPoolCall,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  type MaxPoolCall,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  Pooling,
} from "./pool.ts";
export {
  LearnedPositions,
  learnedPositions,
  type PositionOptions,
  RotaryPositions,
  rotaryPositions,
  SinusoidalPositions,
  sinusoidalPositions,
} from "./positions.ts";
export { PRelu, type PReluOptions, prelu } from "./prelu.ts";
export {
  Gru,
  gru,
  Lstm,
  lstm,
  type RecurrentOptions,
  Rnn,
  type RnnOptions,
  rnn,
  type SequenceOptions,
} from "./recurrent.ts";
export {
  Fold,
  fold,
  PixelShuffle,
  PixelUnshuffle,
  pixelShuffle,
  pixelUnshuffle,
  Shuffling,
  Unfold,
  Upsample,
  unfold,
  upsample,
} from "./resample.ts";
export { RmsNorm, type RmsNormOptions, rmsNorm } from "./rmsnorm.ts";
export { summary } from "./summary.ts";
export {
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerOptions,
  TransformerStack,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
} from "./transformer.ts";
export { Vae, type VaeOptions, vae } from "./vae.ts";
export { Vit, type VitOptions, vit } from "./vit.ts";
export {
  SpectralNorm,
  type SpectralNormOptions,
  spectralNorm,
  WeightNorm,
  type WeightNormOptions,
  weightNorm,
} from "./weightnorm.ts";
