// Writing by an index that is data, in source order: each thread walks all updates and keeps its own columns.
import { add, input } from "../../kernels/expr.ts";
import type { ScatterKernel } from "../../kernels/scatter.ts";
import { contiguousView } from "../../kernels/view.ts";
import type { Target } from "../compile/target.ts";
import type { ElementLoops } from "./elements.ts";
import { indexedRows } from "./indexed.ts";
import { written } from "./merge.ts";
import { parallelAxis } from "./parallel.ts";

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
  return { kind: "elements", ...rows, parallel: isShared ? parallelAxis(last, nest.extents[last], 16) : undefined };
}
