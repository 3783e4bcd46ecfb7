// Layers of small models, which need no family of ops beside the basic one.

export { Activation, identity, lambda, relu, sigmoid, softplus, tanh } from "./activation.ts";
export { ModuleDict, ModuleList, moduleDict, moduleList, Sequential, sequential } from "./containers.ts";
export { Dropout, dropout } from "./dropout.ts";
export { Embedding, type EmbeddingOptions, embedding } from "./embedding.ts";
export { flatten, SampleShape, unflatten } from "./flatten.ts";
export { Linear, type LinearOptions, linear } from "./linear.ts";
export { type Batch, type ModelOutput, Module } from "./module.ts";
