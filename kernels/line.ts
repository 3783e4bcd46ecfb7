// Kernels that take a whole line at a time: the elements along one axis, each line by itself.
import { type Shape, sizeOf } from "../src/core/shape.ts";
import type { KernelBase, KernelInput } from "./kernel.ts";
import { transposeView, type View } from "./view.ts";

/** What all of them have. Their inputs have the output's shape. */
export interface LineKernel extends KernelBase {
  readonly axis: number;
}

/** Where each line of a row-major array begins, and how far its elements are apart. */
export function linesOf(shape: Shape, axis: number): { readonly starts: number[]; readonly step: number } {
  const step = sizeOf(shape.slice(axis + 1));
  const size = sizeOf(shape);
  const count = size === 0 ? 0 : size / shape[axis];
  return {
    step,
    starts: Array.from({ length: count }, (_, i) => Math.floor(i / step) * step * shape[axis] + (i % step)),
  };
}

/** The view with the axis behind all others. */
export function withAxisLast({ view, ...input }: KernelInput, axis: number): KernelInput {
  return { ...input, view: lastOf(view, axis) };
}

const lastOf = (view: View, axis: number) =>
  transposeView(view, [...[...view.shape.keys()].filter((each) => each !== axis), axis]);
