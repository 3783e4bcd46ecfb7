// What layers hold and are given beside inputs, as kinds of argument; and sizes that several layers check.
import { isRecord, type Kind, kind } from "../core/arguments.ts";
import { refuse, ShapeError } from "../core/errors.ts";
import { checkCount } from "../core/shape.ts";
import type { PerAxis } from "../ops/per-axis.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Module } from "./module.ts";

export const module: Kind = kind(
  "a module",
  (value) => value instanceof Module,
  (_, value) =>
    typeof value === "function"
      ? "call it: nn.relu(), or nn.lambda(f) of a function of tensors"
      : Array.isArray(value)
        ? "of a list of modules it is nn.sequential(...modules)"
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
  const got = `${layers} layers, ${parameters.toPrecision(3)} parameters, ${((4 * parameters) / 2 ** 30).toPrecision(3)} GiB`;
  const expected = `at most ${mostLayers} layers, and fewer than 2^34 parameters, 64 GiB`;
  refuse(ShapeError, where, "too large a model", got, expected);
}

/** The parameters of an affine layer. */
export const affineParameters = (inputs: number, outputs: number, bias = true): number =>
  outputs * (inputs + (bias ? 1 : 0));

/** Throws ShapeError unless each head can have as much of the width. */
export function checkHeads(where: string, width: number, heads: number): void {
  if (width % heads === 0) return;
  const got = `width ${width}, heads ${heads}`;
  refuse(ShapeError, where, "width must be divisible by heads", got, "a width that is a multiple of heads");
}

/** What is one for each axis as text: 2 × 3. */
export const across = (value: PerAxis | string): string =>
  typeof value === "object" ? value.join(" × ") : String(value);

/** A record of tensors. `expected`: what it is called. */
export const tensorsByName = (expected: string): Kind =>
  kind(expected, (value) => isRecord(value) && Object.values(value).every((each) => each instanceof Tensor));
/** What stands beside inputs; what is undefined isn't there. */
export const batch = kind(
  "a batch: tensors by name",
  (value) => isRecord(value) && Object.values(value).every((each) => each === undefined || each instanceof Tensor),
);
