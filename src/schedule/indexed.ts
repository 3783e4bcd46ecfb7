// Reading and writing by an index that is data. What is gathered may be shared along any axis; a scatter writes in source order, so each thread walks
// all updates and keeps its own columns.
import type { ScatterKernel } from "../../kernels/indexed.ts";
import type { Index, KernelInput, LoopKernel } from "../../kernels/kernel.ts";
import { contiguousView, type View } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";
import { mergeAxes } from "./merge.ts";
import type { Nest } from "./nest.ts";
import { type Parallel, parallelAxis, splitAxis } from "./parallel.ts";

/** What both walk: inputs of the nest are what lies in order, the indices, and what is addressed through them. */
export interface Walk {
  readonly nest: Nest;
  /** Indices are below it. */
  readonly extent: number;
  /** Elements from one index to the next. */
  readonly stride: number;
  /** The index stays the same along the last axis: a whole row moves with it, `lanes` elements at once. */
  readonly isRow: boolean;
  readonly lanes: number;
  readonly parallel: Parallel | undefined;
}

export interface GatherLoops extends Walk {
  readonly kind: "gather";
}

export interface ScatterLoops extends Walk {
  readonly kind: "scatter";
  /** Whether updates are added, or stored. */
  readonly adds: boolean;
}

const withoutAxis = (view: View, axis: number, shape: readonly number[]): View => ({
  ...view,
  shape,
  strides: view.strides.map((stride, i) => (i === axis ? 0 : stride)),
});

export function gatherLoops(
  { shape, output, dtype, storage }: LoopKernel,
  { index, ...x }: KernelInput & { readonly index: Index },
  target: Target,
): GatherLoops {
  const plain = { source: output, dtype, storage, view: contiguousView(shape) };
  const nest = mergeAxes(shape, [plain, index.at, x]);
  // Chunks in order read indices in order: of several that are out of range the first is told.
  const outermost = nest.inputs[1].strides.findIndex((stride) => stride !== 0);
  const split = splitAxis(nest);
  const axis = outermost >= 0 && outermost < split ? outermost : split;
  return { ...walkOf(nest, target, axis), kind: "gather", extent: index.extent, stride: index.stride };
}

export function scatterLoops(
  { shape, axis, combine, inputs: [indices, updates], output, dtype }: ScatterKernel,
  target: Target,
): ScatterLoops {
  const view = contiguousView(shape);
  const walked = updates.view.shape;
  const addressed: KernelInput = { source: output, dtype, view: withoutAxis(view, axis, walked) };
  const nest = mergeAxes(walked, [updates, indices, addressed]);
  const last = nest.extents.length - 1;
  const walk = walkOf(nest, target, last);
  // Only columns that keep their index are never written by two threads.
  const isShared = walk.isRow && nest.inputs[2].strides[last] !== 0;
  return {
    ...walk,
    kind: "scatter",
    adds: combine === "sum",
    extent: shape[axis],
    stride: view.strides[axis],
    parallel: isShared ? walk.parallel : undefined,
  };
}

function walkOf(nest: Nest, { lanes }: Target, split: number): Omit<Walk, "extent" | "stride"> {
  const last = nest.extents.length - 1;
  const [plain, indices, addressed] = nest.inputs;
  const isRow = indices.strides[last] === 0;
  const isSideBySide = plain.scale > 1 && plain.strides[last] === 1 && addressed.strides[last] === 1;
  return {
    nest,
    isRow,
    lanes: isRow && isSideBySide ? lanes : 1,
    parallel: parallelAxis(split, nest.extents[split], split === last ? 16 : 1),
  };
}
