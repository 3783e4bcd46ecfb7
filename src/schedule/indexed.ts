// Reading and writing by an index that is data. What is gathered may be shared along any axis; a scatter writes in source order, so each thread walks
// all updates and keeps its own columns.
import { add, type Expr, input } from "../../kernels/expr.ts";
import type { ScatterKernel } from "../../kernels/indexed.ts";
import type { Index, KernelInput, LoopKernel } from "../../kernels/kernel.ts";
import { contiguousView } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";
import { type ElementLoops, elementsOf } from "./elements.ts";
import { mergeAxes, written } from "./merge.ts";
import { parallelAxis, splitAxis } from "./parallel.ts";
import { rowLoops } from "./vectorise.ts";

export function gatherLoops(
  kernel: LoopKernel,
  { index, ...x }: KernelInput & { readonly index: Index },
  target: Target,
): ElementLoops {
  const rows = indexedRows(kernel.shape, [index.at, x, written(kernel)], 1, index, input(1, x.dtype), target);
  const { extents, inputs } = rows.nest;
  // Chunks in order read indices in order: of several that are out of range the first is told.
  const outermost = inputs[0].strides.findIndex((stride) => stride !== 0);
  const split = splitAxis(rows.nest);
  const axis = outermost >= 0 && outermost < split ? outermost : split;
  return elementsOf(rows, parallelAxis(axis, extents[axis], axis === rows.axis ? 16 : 1));
}

export function scatterLoops(kernel: ScatterKernel, target: Target): ElementLoops {
  const { shape, axis, combine, inputs, dtype } = kernel;
  const [indices, updates] = inputs;
  const view = contiguousView(shape);
  const strides = view.strides.map((stride, i) => (i === axis ? 0 : stride));
  const addressed = { ...written(kernel), view: { ...view, shape: updates.view.shape, strides } };
  const index = { extent: shape[axis], stride: view.strides[axis] };
  const body = combine === "sum" ? add(input(2, dtype), input(1, dtype)) : input(1, dtype);
  const rows = indexedRows(updates.view.shape, [indices, updates, addressed], 2, index, body, target);
  const { nest, axis: last } = rows;
  // Only columns that keep their index are never written by two threads.
  const isShared = nest.inputs[0].strides[last] === 0 && nest.inputs[2].strides[last] !== 0;
  return elementsOf(rows, isShared ? parallelAxis(last, nest.extents[last], 16) : undefined);
}

/** Of the inputs the first is the index, and one is addressed by it. A sum reads what it writes. */
function indexedRows(
  shape: readonly number[],
  all: readonly KernelInput[],
  addressed: number,
  { extent, stride }: Pick<Index, "extent" | "stride">,
  body: Expr,
  target: Target,
) {
  const nest = mergeAxes(shape, all);
  const inputs = nest.inputs.map((each, i) => (i === addressed ? { ...each, index: { at: 0, extent, stride } } : each));
  return rowLoops({ ...nest, inputs }, body, target, { isCut: true, hasScratch: false });
}
