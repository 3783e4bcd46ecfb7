// Kernels that take a whole line at a time, the elements along one axis: threads share the lines, and where neighbouring lines lie side by side in memory
// several are walked at once.
import type { KernelInput } from "../../kernels/kernel.ts";
import { type LineKernel, withAxisLast } from "../../kernels/line.ts";
import { contiguousView } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";
import { mergeAxes } from "./merge.ts";
import type { Nest } from "./nest.ts";
import { type Parallel, parallelAxis, splitAxis } from "./parallel.ts";

/** Vectors of lines that are walked at once: a cache line's worth. */
const widest = 4;

export interface LineLoops {
  readonly kind: "lines";
  /** Of the inputs, then the output; its last axis is the line's. */
  readonly nest: Nest;
  readonly count: number;
  /** Lines at once along the last axis before, one choice after another; the last is 1. */
  readonly widths: readonly number[];
  readonly parallel: Parallel;
  readonly scratch: number;
}

/** `isSideBySide`: whether lines can be walked in vectors; `scratchBytes`: what one line needs beside its elements. */
export function lineLoops(
  { inputs, shape, axis, output, dtype, storage }: LineKernel,
  { lanes }: Target,
  { isSideBySide, scratchBytes }: { readonly isSideBySide: boolean; readonly scratchBytes: number },
): LineLoops {
  const written: KernelInput = { source: output, dtype, storage, view: contiguousView(shape) };
  const all = [...inputs, written].map((input) => withAxisLast(input, axis));
  const nest = mergeAxes(all[0].view.shape, all, shape.length - 1);
  const last = nest.outer - 1;
  const isVector =
    isSideBySide && lanes > 1 && nest.inputs.every(({ strides, scale }) => strides[last] === 1 && scale > 1);
  const split = splitAxis({ extents: nest.extents.slice(0, nest.outer) });
  return {
    kind: "lines",
    nest,
    count: shape[axis],
    widths: isVector ? [widest * lanes, lanes, 1] : [1],
    parallel: parallelAxis(split, nest.extents[split], isVector && split === last ? widest * lanes : 1),
    scratch: scratchBytes,
  };
}
