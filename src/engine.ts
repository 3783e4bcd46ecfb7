// `seedgrad/core`: tensors, gradients, layers, optimizers and compiled functions on every backend; no trainer, no data sets, no files of runs.

export { loadBackend } from "./backend/load.ts";
export type { Backend, Executable, ReproducibilityClass } from "./compile/contract.ts";
export type { Plan } from "./compile/plan.ts";
export type { HostArray } from "./core/array.ts";
export type { DType, TypedArray } from "./core/dtype.ts";
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
export { type Graph, graphHash } from "./graph/hash.ts";
export { printGraph } from "./graph/print.ts";
export * as nn from "./nn/index.ts";
export * as losses from "./nn/losses.ts";
export * as metrics from "./nn/metrics.ts";
export { autocast, type NarrowFormat } from "./ops/precision.ts";
export * as optim from "./optim/index.ts";
export { type Compiled, type CompileOptions, compile, type Execution } from "./program/compiled.ts";
export {
  hessian,
  hvp,
  type JacobianOptions,
  jacobian,
  jvp,
  type TensorResult,
  vjp,
} from "./program/derivatives.ts";
export { grad, gradients, type ScalarFunction, valueAndGrad } from "./program/gradients.ts";
export { type CustomGradientContext, checkpoint, customGradient } from "./program/segments.ts";
export { onExecute, runtimeScalar, watch } from "./program/trace.ts";
export { Parameter, type Stateful, Variable } from "./program/variable.ts";
export { type VmapOptions, vmap } from "./program/vmap.ts";
export { manualSeed, Stream } from "./rng/stream.ts";
export { defaultBackend, setDefaultBackend } from "./runtime/backends.ts";
export * from "./tensor/functions.ts";
export { type ScanOptions, scan } from "./tensor/scan.ts";
export { type NestedArray, Tensor } from "./tensor/tensor.ts";
