// What is given as one number for all extents of [batch, channels, ...extents], or as one for each: sizes of windows, strides, paddings.
import { refuse, ShapeError } from "../core/errors.ts";
import { checkCount } from "../core/shape.ts";
import { either, type Kind, number, numbers, oneOf, options } from "./arguments.ts";

/** A number for all axes, or one for each of [depth, height, width] that there is. */
export type PerAxis = number | readonly number[];

/** How windows lie over the extents. */
export interface WindowOptions {
  /** From one window to the next. */
  readonly stride?: PerAxis;
  /** Points added on both sides. */
  readonly padding?: PerAxis;
  /** From one point of a window to the next; 1 unless given. */
  readonly dilation?: PerAxis;
}

export const perAxisKind: Kind = either(number, { ...numbers, expected: "a list of one for each axis" });
export const windowKinds = { "stride?": perAxisKind, "padding?": perAxisKind, "dilation?": perAxisKind } as const;
export const windowOptions: Kind = options<WindowOptions>(windowKinds);
/** "same": as many windows as points at stride 1, the odd point behind, as PyTorch. "valid": no padding. */
export const paddingKind: Kind = either(perAxisKind, oneOf(["same", "valid"], { SAME: '"same"', VALID: '"valid"' }));

const names = [["width"], ["height", "width"], ["depth", "height", "width"]];

/** The names of the extents, as errors call them: of one dimension `length`. */
export const extentNames = (rank: number): string => (rank === 1 ? "length" : names[rank - 1].join(", "));

/** The numbers for each axis. Throws ShapeError unless there are as many as axes, all integers ≥ `least`. */
export function perAxis(where: string, what: string, value: PerAxis, rank: number, least: number): readonly number[] {
  const list = typeof value === "number" ? Array<number>(rank).fill(value) : value;
  if (list.length !== rank)
    refuse(ShapeError, where, `no ${what} for each axis`, `[${value}]`, `a number, or ${rank} of them`);
  for (const each of list) checkCount(where, what, each, least);
  return list;
}
