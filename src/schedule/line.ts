// Kernels that take a whole line at a time, the elements along one axis: threads share the lines, and where neighbouring lines lie side by side in memory
// several are walked at once.
import { type LineKernel, withAxisLast } from "../../kernels/line.ts";
import type { Target } from "../compile/target.ts";
import { mergeAxes, written } from "./merge.ts";
import { type Parallel, parallelAxis, splitAxis } from "./parallel.ts";
import { segments } from "./split.ts";
import type { Rows } from "./vectorise.ts";

/** Vectors of lines that are walked at once: a cache line's worth. */
const widest = 4;

/** Lines apart in memory that are walked at once: each element waits for the one before it, but not for the other lines'. */
const chains = 4;

/** The nest's last axis is the line's; rows run along the one before. */
export interface LineLoops extends Rows {
  readonly kind: "lines";
  readonly count: number;
  readonly parallel: Parallel;
  readonly scratch: number;
}

/** `isSideBySide`: whether lines can be walked in vectors; `scratchBytes`: what one line needs beside its elements. */
export function lineLoops(
  kernel: LineKernel,
  { lanes }: Target,
  { isSideBySide, scratchBytes }: { readonly isSideBySide: boolean; readonly scratchBytes: number },
): LineLoops {
  const { inputs, shape, axis } = kernel;
  const all = [...inputs, written(kernel)].map((input) => withAxisLast(input, axis));
  const nest = mergeAxes(all[0].view.shape, all, shape.length - 1);
  const last = nest.outer - 1;
  const isVector =
    isSideBySide && lanes > 1 && nest.inputs.every(({ strides, scale }) => strides[last] === 1 && scale > 1);
  const split = splitAxis({ extents: nest.extents.slice(0, nest.outer) });
  return {
    kind: "lines",
    nest,
    axis: last,
    segments: segments(nest, last),
    count: shape[axis],
    lanes: isVector ? lanes : 1,
    widths: isVector ? [widest, 1] : isSideBySide ? [chains] : [],
    parallel: parallelAxis(split, nest.extents[split], isVector && split === last ? widest * lanes : 1),
    scratch: scratchBytes,
  };
}
