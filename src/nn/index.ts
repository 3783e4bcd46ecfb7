// Layers and models.
export {
  Activation,
  celu,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  tanh,
} from "./activation.ts";
export { SelfAttention, type SelfAttentionOptions, selfAttention } from "./attention.ts";
export { BatchNorm, type BatchNormOptions, batchNorm1d, batchNorm2d, batchNorm3d } from "./batchnorm.ts";
export { TransformerBlock, transformerBlock } from "./block.ts";
export { type CnnOptions, cnn } from "./cnn.ts";
export {
  identity,
  lambda,
  ModuleDict,
  ModuleList,
  moduleDict,
  moduleList,
} from "./containers.ts";
export { Conv2d, type Conv2dOptions, conv2d, flatten, MaxPool2d, maxPool2d, SampleShape, unflatten } from "./conv.ts";
export { Dropout, dropout } from "./dropout.ts";
export { Embedding, type EmbeddingOptions, embedding } from "./embedding.ts";
export { freeze, functionalCall, unfreeze } from "./functional.ts";
export { Gpt, type GptOptions, gpt } from "./gpt.ts";
export { GroupNorm, type GroupNormOptions, groupNorm, instanceNorm } from "./groupnorm.ts";
export {
  type Fan,
  type GainOptions,
  type Init,
  type InitName,
  init,
  type KaimingOptions,
  type Nonlinearity,
} from "./init.ts";
export { LayerNorm, layerNorm } from "./layernorm.ts";
export { Linear, type LinearOptions, linear } from "./linear.ts";
export { type LoadOptions, load, save } from "./load.ts";
export { type MlpOptions, mlp } from "./mlp.ts";
export { type Batch, type ModelOutput, Module } from "./module.ts";
export { MultiHeadAttention, type MultiHeadAttentionOptions, multiHeadAttention } from "./multihead.ts";
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
export { RmsNorm, type RmsNormOptions, rmsNorm } from "./rmsnorm.ts";
export { Sequential, sequential } from "./sequential.ts";
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
export {
  SpectralNorm,
  type SpectralNormOptions,
  spectralNorm,
  WeightNorm,
  type WeightNormOptions,
  weightNorm,
} from "./weightnorm.ts";
