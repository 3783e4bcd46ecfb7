// Checks on layers: sizes, and what comes in.
import { checkArguments, isRecord, type Kind, kind, signature } from "../core/arguments.ts";
import { ShapeError, showValue } from "../core/errors.ts";
import { tensor } from "../tensor/arguments.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

export const module: Kind = kind(
  "a module",
  (value) => value instanceof Module,
  (_, value) =>
    typeof value === "function"
      ? "call it: nn.relu(), or wrap a function of tensors: new nn.Activation(name, f)"
      : undefined,
);

/** As many layers as nobody makes: a larger count is a slip, and would be made one by one. */
const mostLayers = 2 ** 16;
/** 64 GiB as float32. */
const mostParameters = 2 ** 34;

/** Throws ShapeError unless a stack of layers, of so many parameters in all, can be made: before the first one is. */
export function checkStack(where: string, layers: number, parameters: number): void {
  checkCount(where, "layers", layers);
  if (layers <= mostLayers && !(parameters >= mostParameters)) return;
  throw new ShapeError({
    where: `nn.${where}`,
    problem: "too large a model",
    got: `${layers} layers, ${parameters.toPrecision(3)} parameters, ${((4 * parameters) / 2 ** 30).toPrecision(3)} GiB`,
    expected: `at most ${mostLayers} layers, and fewer than 2^34 parameters, 64 GiB`,
  });
}

/** The parameters of an affine layer. */
export const affineParameters = (inputs: number, outputs: number, bias = true): number =>
  outputs * (inputs + (bias ? 1 : 0));

/** Throws ShapeError unless the value is an integer ≥ 1. */
export function checkCount(where: string, what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ShapeError({
      where: `nn.${where}`,
      problem: `${what} isn't a count`,
      got: showValue(value),
      expected: "an integer ≥ 1",
    });
  }
}

const batch = kind(
  "a batch: tensors by name",
  (value) => isRecord(value) && Object.values(value).every((each) => each instanceof Tensor),
);

/** Throws ConfigError unless a layer's `forward` is given a tensor, and at most a batch beside it. */
export function checkForward(where: string, given: ArrayLike<unknown>): void {
  if (given.length === 1 && given[0] instanceof Tensor) return;
  checkArguments(signature(`${where}.forward`, { inputs: tensor, "batch?": batch }), given);
}
