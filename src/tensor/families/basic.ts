// What every program has: arithmetic, comparisons, activations, reductions, products of matrices, movement, gathering, tensors of given and of random numbers.
import { family, type Methods } from "../family.ts";
import { methods, others } from "../members/basic.ts";

declare module "../tensor.ts" {
  interface Tensor extends Methods<typeof methods> {}
}

/** The functions of this family, by name. */
export const ops = family(methods, others);

export const { add, sub, mul, div, neg, abs, sign, square, reciprocal, remainder, floorDivide, lerp } = ops;
export const { floor, ceil, round, trunc, clamp, nanToNum, roundTo } = ops;
export const { exp, expm1, log, log1p, sqrt, rsqrt, sin, cos, tanh, sigmoid, softplus, erf, relu } = ops;
export const { maximum, minimum, where, cast, stopGradient } = ops;
export const { less, lessEqual, greater, greaterEqual, equal, notEqual, logicalAnd, logicalOr, logicalNot } = ops;
// biome-ignore lint/suspicious/noShadowRestrictedNames: what NumPy and PyTorch call them
export const { isFinite, isInf, isNaN } = ops;
export const { sum, max, min, firstMax, argmax, argmin, mean, variance, std, any, all, logSumExp } = ops;
export const { softmax, logSoftmax, dropout, linear, matmul } = ops;
export const { reshape, transpose, swapAxes, moveAxis, squeeze, expandDims, flatten, broadcastTo } = ops;
export const { slice, flip, concat, stack, gather, take, scatter, scatterAdd } = ops;
export const { full, arange, eye, oneHot, coordinate } = ops;
export const { uniform, normal, bernoulli, randint, permutation } = ops;
