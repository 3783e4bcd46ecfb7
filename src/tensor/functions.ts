// The ops as functions of tensors. `ops` holds every one by itself; the names below are what the package exports at top level.

import {
  anything,
  checkArguments,
  dtype as dtypeKind,
  either,
  options,
  shape as shapeKind,
  signature,
} from "../core/arguments.ts";
import type { DType } from "../core/dtype.ts";
import type { Shape } from "../core/shape.ts";
import { type ArrayLike, constant, fromValues } from "../ops/creation.ts";
import { functions } from "./members.ts";
import { type LiftedAll, lift, Tensor } from "./tensor.ts";

const liftAll = <T extends object>(namespace: T): LiftedAll<T> =>
  Object.fromEntries(
    Object.entries(namespace).map(([name, apply]) => [name, lift(apply as (...args: never[]) => unknown)]),
  ) as LiftedAll<T>;

/** Every op as a function of tensors, by name. */
export const ops = liftAll(functions);

/** What `tensor` makes of its values. */
export interface TensorOptions {
  readonly dtype?: DType;
  /** The extents, where values are flat. */
  readonly shape?: Shape;
}

const made = either(dtypeKind, either(shapeKind, options<TensorOptions>({ "dtype?": dtypeKind, "shape?": shapeKind })));
const tensorCall = signature(
  "tensor",
  { values: anything, "options?": { ...made, expected: "a dtype, a shape, or { dtype, shape }" } },
  'shape and dtype together go by name: { shape: [2, 1], dtype: "int32" }',
);

/** A tensor of given values: nested arrays, a typed array or one number. Numbers give float32, booleans bool, typed arrays their own dtype. The second argument may be the dtype or the shape alone: `tensor([1, 2], "int32")`. Throws ShapeError, DTypeError, ConfigError. */
export function tensor(values: ArrayLike, options: DType | Shape | TensorOptions = {}): Tensor {
  checkArguments(tensorCall, arguments);
  const { dtype, shape }: TensorOptions =
    typeof options === "string"
      ? { dtype: options }
      : Array.isArray(options)
        ? { shape: options }
        : (options as TensorOptions);
  const flat = fromValues(values, dtype);
  return new Tensor(shape ? constant(flat.data!, shape, flat.dtype) : flat);
}

const filled = { shape: shapeKind, "dtype?": dtypeKind };
const oneList = "the shape is one list: zeros([2, 3])";
const zerosCall = signature("zeros", filled, oneList);
const onesCall = signature("ones", filled, oneList);

/** Zeros: → [...shape], of the dtype, float32 unless given. Throws ShapeError, DTypeError. */
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  checkArguments(zerosCall, arguments);
  return ops.full(shape, 0, dtype);
}

/** Ones: → [...shape], of the dtype, float32 unless given. Throws ShapeError, DTypeError. */
export function ones(shape: Shape, dtype: DType = "float32"): Tensor {
  checkArguments(onesCall, arguments);
  return ops.full(shape, 1, dtype);
}

export const {
  abs,
  acos,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  acosh,
  add,
  all,
  any,
  arange,
  argmax,
  argmin,
  argsort,
  asin,
  asinh,
  atan,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  atan2,
  atanh,
  batchNorm,
  batchNormTraining,
  bernoulli,
  beta,
  bincount,
  bitAnd,
  bitNot,
  bitOr,
  bitXor,
  broadcastTo,
  cast,
  categorical,
  cauchy,
  cdist,
  ceil,
  celu,
  choice,
  chunk,
  cholesky,
  clamp,
  col2im,
  concat,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  cos,
  cosh,
  cross,
  cummax,
  cummin,
  cumprod,
  cumsum,
  diag,
  diagonal,
  det,
  dirichlet,
  div,
  dot,
  dropout,
  eigh,
  einsum,
  elu,
  equal,
  erf,
  erfc,
  exp,
  exp2,
  expandDims,
  expm1,
  exponential,
  eye,
  fft,
  flatten,
  flip,
  floor,
  floorDivide,
  full,
  fullLike,
  gamma,
  gather,
  gelu,
  globalAvgPool,
  globalMaxPool,
  greater,
  greaterEqual,
  hypot,
  groupNorm,
  gumbel,
  hardSigmoid,
  hardSwish,
  hardtanh,
  histogram,
  ifft,
  im2col,
  inner,
  instanceNorm,
  interpolate,
  inverse,
  irfft,
  // biome-ignore lint/suspicious/noShadowRestrictedNames: what NumPy and PyTorch call it
  isFinite,
  isInf,
  // biome-ignore lint/suspicious/noShadowRestrictedNames: what NumPy and PyTorch call it
  isNaN,
  kron,
  laplace,
  layerNorm,
  leakyRelu,
  lerp,
  less,
  lessEqual,
  linear,
  linspace,
  log,
  log10,
  log1p,
  log2,
  logCumSumExp,
  logicalAnd,
  logicalNot,
  logicalOr,
  logNormal,
  logSigmoid,
  logSoftmax,
  logspace,
  logSumExp,
  lstsq,
  lu,
  matmul,
  matrixPower,
  matrixRank,
  max,
  maximum,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  mean,
  median,
  meshgrid,
  min,
  minimum,
  mish,
  moveAxis,
  mul,
  nanToNum,
  neg,
  norm,
  normal,
  notEqual,
  oneHot,
  onesLike,
  outer,
  pad,
  permutation,
  pinverse,
  pixelShuffle,
  pixelUnshuffle,
  pow,
  poisson,
  prelu,
  prod,
  qr,
  quantile,
  randint,
  reciprocal,
  relu,
  relu6,
  remainder,
  repeatInterleave,
  reshape,
  rfft,
  rmsNorm,
  roll,
  rot90,
  round,
  roundTo,
  rsqrt,
  scaledDotProductAttention,
  scatter,
  scatterAdd,
  scatterMax,
  scatterMin,
  searchSorted,
  selu,
  shiftLeft,
  shiftRight,
  shuffle,
  sigmoid,
  sign,
  silu,
  sin,
  sinh,
  slice,
  slogdet,
  softmax,
  softplus,
  solve,
  sort,
  split,
  sqrt,
  square,
  squeeze,
  stack,
  std,
  stopGradient,
  sub,
  sum,
  svd,
  swapAxes,
  take,
  takeAlongAxis,
  tan,
  tanh,
  tensordot,
  tile,
  topK,
  trace,
  transpose,
  triangularSolve,
  tril,
  triu,
  trunc,
  truncatedNormal,
  unfold,
  uniform,
  unstack,
  variance,
  where,
  zerosLike,
} = ops;
