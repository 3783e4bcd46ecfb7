// How a reduction is declared: one record, and which axes it is given.
import { refuse, ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxes, type Shape, sizeOf } from "../core/shape.ts";
import { Node } from "../graph/node.ts";
import { axesKind, boolean, either, isRecord, type Kind, type Kinds, options, takes, tensor } from "./arguments.ts";
import { defineOp, full, makeNode, nextAxes } from "./define.ts";
import { reshape } from "./movement.ts";
import type { ReduceRecord } from "./record.ts";

/** Which axes, and whether they stay with extent 1. */
export interface ReduceOptions {
  readonly axis?: number | readonly number[];
  readonly keepDims?: boolean;
}

/** What is reduced: an axis, several, or options; all axes if left out. */
export type Over = number | readonly number[] | ReduceOptions;

const isAxes = (over: Over): over is number | readonly number[] => typeof over === "number" || Array.isArray(over);
export const optionsFor = (over: Over): ReduceOptions => (isAxes(over) ? { axis: over } : over);

/** The axes that are reduced, ascending. */
export const axesOption = (where: string, x: Node, over: Over): readonly number[] =>
  normalizeAxes(where, optionsFor(over).axis, x.shape.length);

/** The shape with the axes at extent 1. */
export const keptShape = (shape: Shape, axes: readonly number[]) =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));

const instead: Readonly<Record<string, string>> = { max: "maximum", min: "minimum", sum: "add", prod: "mul" };

/** What reductions take after their tensor, with an option more. */
export function overWith(more: Kinds): Kind {
  const over = either(axesKind, options({ "axis?": axesKind, "keepDims?": boolean, ...more }));
  return {
    ...over,
    expected: "an axis, a list of axes, or { axis, keepDims }",
    explain: (where, value) =>
      value instanceof Node && instead[where]
        ? `of two tensors, element by element, it is ${instead[where]}(a, b)`
        : isRecord(value)
          ? over.explain!(where, value)
          : undefined,
  };
}

/** What reductions take after their tensor. */
export const overKind = overWith({});
export const byName = "keepDims goes by name, as in x.sum({ axis: 0, keepDims: true })";

/** A node of a reduction. Throws ShapeError where there is nothing to reduce and `empty`, what nothing gives, is undefined. */
export function reduce(op: string, x: Node, given: Over, empty: number | undefined, where = op): Node {
  const axes = axesOption(where, x, given);
  if (empty === undefined && sizeOf(axes.map((i) => x.shape[i])) === 0)
    refuse(ShapeError, where, "nothing to reduce", `${formatShape(x.shape)} over [${axes}]`, "at least one element");
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  // A fold of nothing is zeros.
  const out = sizeOf(x.shape) === 0 && empty ? full(shape, empty, x.dtype) : makeNode(op, [x], shape, { axes });
  return optionsFor(given).keepDims ? reshape(out, keptShape(x.shape, axes)) : out;
}

/** Declares a reduction and returns the function that applies it. `empty`: what nothing gives; an error if left out. */
export function defineReduction({
  empty,
  ...record
}: Omit<ReduceRecord, "kind" | "version" | "batch"> & { readonly empty?: number; readonly version?: number }): (
  x: Node,
  over?: Over,
) => Node {
  defineOp({ kind: "reduce", version: 1, batch: nextAxes, ...record });
  const named = { [record.name]: (x: Node, given: Over = {}) => reduce(record.name, x, given, empty) };
  takes(named, { x: tensor, "over?": overKind }, byName);
  return named[record.name];
}
