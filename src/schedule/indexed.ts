// Reading by an index that is data: what is gathered may be shared along any axis.
import { type Expr, input } from "../../kernels/expr.ts";
import type { Index, KernelInput, LoopKernel } from "../../kernels/kernel.ts";
import type { Target } from "../compile/target.ts";
import type { ElementLoops } from "./elements.ts";
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
  return { kind: "elements", ...rows, parallel: parallelAxis(axis, extents[axis], axis === rows.axis ? 16 : 1) };
}

/** Of the inputs the first is the index, and one is addressed by it. A sum reads what it writes. */
export function indexedRows(
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
