// `seedgrad/core`: what a page with a small model loads. Tensors with the basic family of ops, gradients, compiled functions on every backend, and the layers, losses
// and optimizers that need no more. Further ops are in `seedgrad/ops/…`, all layers, losses, metrics, optimizers and transformations in entries of their names.

export { loadBackend } from "./backend/load.ts";
export type { Backend, Executable, ReproducibilityClass } from "./compile/contract.ts";
export { graphHash } from "./compile/hash.ts";
export type { Plan } from "./compile/plan.ts";
export type { HostArray } from "./core/array.ts";
export type { DType, NarrowFormat, TypedArray } from "./core/dtype.ts";
export {
  BackendError,
  CheckpointError,
  ConfigError,
  type ConfigPosition,
  DataError,
  DTypeError,
  type ErrorDetails,
  GradError,
  InterruptedError,
  ReproError,
  SeedgradError,
  ShapeError,
  StreamError,
  TraceError,
  TrainingError,
} from "./core/errors.ts";
export { numericsId } from "./core/numerics.ts";
export type { Shape } from "./core/shape.ts";
export type { Graph } from "./graph/graph.ts";
export * as nn from "./nn/basic.ts";
export * as losses from "./nn/losses/basic.ts";
export { autocast } from "./ops/autocast.ts";
export * as optim from "./optim/basic.ts";
export { type Compiled, type CompileOptions, compile, type Execution, type Passed } from "./program/compiled.ts";
export { grad, gradients, type ScalarFunction, valueAndGrad } from "./program/gradients.ts";
export { onExecute, runtimeScalar, watch } from "./program/trace.ts";
export { Parameter, type Stateful, Variable } from "./program/variable.ts";
export { manualSeed, Stream } from "./rng/stream.ts";
export { defaultBackend, setDefaultBackend } from "./runtime/backends.ts";
export * from "./tensor/creation.ts";
export * from "./tensor/families/basic.ts";
export { type NestedArray, Tensor } from "./tensor/tensor.ts";
