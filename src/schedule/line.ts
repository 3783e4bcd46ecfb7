// Kernels that take a whole line at a time, the elements along one axis: threads share the lines, and where neighbouring lines lie side by side in memory
// several are walked at once.
import { isArgument } from "../../kernels/kernel.ts";
import { type LineKernel, withAxisLast } from "../../kernels/line.ts";
import type { Target } from "../compile/target.ts";
import { mergeAxes, written } from "./merge.ts";
import { type Cost, type Parallel, parallelAxis, splitAxis } from "./parallel.ts";
import { segments } from "./split.ts";
import type { Rows } from "./vectorise.ts";

/** Vectors of lines that are walked at once: a cache line's worth. */
const widest = 4;

/** Lines apart in memory that are walked at once: each element waits for the one before it, but not for the other lines'. */
const chains = 4;

/** How a line is sorted. */
export interface Sorting {
  /** Each key is put into a list of those found so far, if it is to be there at all; or all keys are handed out by one digit of 8 bits after another. */
  readonly way: "insertion" | "digits";
  /** So many are wanted, the first ones. */
  readonly kept: number;
  /** Vectors of elements that are passed over at once where all of them come behind the list; 0: none. */
  readonly vectors: number;
}

/** The nest's last axis is the line's; rows run along the one before. */
export interface LineLoops extends Rows {
  readonly kind: "lines";
  readonly count: number;
  readonly parallel: Parallel;
  /** Only of a sort. */
  readonly sorting?: Sorting;
  /** Of where the best so far is: vectors of elements that are passed over at once where none of them is better. */
  readonly passed?: number;
}

/** `isSideBySide`: whether lines can be walked in vectors. */
function lineLoops(kernel: LineKernel, { lanes }: Target, isSideBySide: boolean): LineLoops {
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
    overlaps: false,
    parallel: parallelAxis(split, nest.extents[split], isVector && split === last ? widest * lanes : 1),
  };
}

/** Vectors of elements that one comparison passes over. */
const passedVectors = 4;

/** Whether a line's elements lie one after another, read and written. */
const isStraight = ({ nest, axis }: LineLoops) => nest.inputs.every(({ strides }) => strides[axis + 1] === 1);

export function prefixLoops(kernel: LineKernel & { readonly combine: string }, target: Target): LineLoops {
  const loops = lineLoops(kernel, target, true);
  const isLong = loops.count >= 4 * passedVectors * target.lanes;
  if (!isArgument(kernel.combine) || target.lanes === 1 || !isLong || !isStraight(loops)) return loops;
  return { ...loops, lanes: 1, widths: [], passed: passedVectors };
}

/** Up to this many keys a list is kept by insertion: 16 keys take 0.3 times what digits take, 64 1.4 times. */
const longestList = 48;

/** So many times as long a line is for a list of its first few: most of its elements are no better than the last of the list. */
const longerLine = 4;

/** Bytes of a key above its place. */
export const keyBytes = 8;
/** Values of a digit, of which a key has four. */
export const digitValues = 256;

/** `kept`: so many of each line are read, the first ones; all unless given. */
export function sortLoops(kernel: LineKernel & { readonly kept?: number }, target: Target): LineLoops & Partial<Cost> {
  const loops = lineLoops(kernel, target, false);
  const { nest, axis, count } = loops;
  const { kept = count } = kernel;
  const isFew = count <= longestList || (kept <= longestList && kept * longerLine <= count);
  const isBeside = target.lanes > 1 && nest.inputs[0].strides[axis + 1] === 1;
  return {
    ...loops,
    sorting: {
      way: isFew ? "insertion" : "digits",
      kept,
      vectors: isFew && isBeside && count > kept ? passedVectors : 0,
    },
    scratch: isFew ? keyBytes * kept : 2 * keyBytes * count + 4 * 4 * digitValues,
  };
}
