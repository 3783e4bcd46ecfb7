// Kernels of the families that read buffers: folds, products among them, reads by index, and the kinds beside the loop.
import * as e from "../../kernels/expr.ts";
import type { KernelInput } from "../../kernels/kernel.ts";
import type { Kernel, SpecialKernel } from "../../kernels/kinds.ts";
import { productViews } from "../../kernels/product.ts";
import { repeatView, transposeView } from "../../kernels/view.ts";
import { firstDraw } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { recordOf } from "../ops/define.ts";
import type { FusedExpr } from "./fused.ts";

/** What is read of `x`, a view over its own shape, where an index replaces the coordinate along an axis. */
export function byIndex(x: KernelInput, axis: number, at: KernelInput): KernelInput {
  const { shape, strides } = x.view;
  const rest = [...shape.keys()].filter((each) => each !== axis);
  return {
    ...x,
    view: repeatView(transposeView(x.view, rest), axis, at.view.shape[axis]),
    index: { at, extent: shape[axis], stride: strides[axis] },
  };
}

/** The kernel of a node whose family reads buffers. */
export function lowerFamily(
  node: Node,
  record: ReturnType<typeof recordOf>,
  operands: readonly FusedExpr[],
  output: number,
  asInput: (fused: FusedExpr) => KernelInput,
  drawBase: number,
): Kernel {
  const base = { output, dtype: node.dtype, shape: node.shape };
  switch (record.kind) {
    case "reduce": {
      const [x] = operands;
      const axes = node.attributes.axes as readonly number[];
      const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
      const permutation = [...kept, ...axes];
      const last = axes.every((axis, i) => axis === x.shape.length - axes.length + i);
      const inputs = x.inputs.map((input) => ({ ...input, view: transposeView(input.view, permutation) }));
      const body = x.dtype === "bool" ? e.toInt32(x.body) : x.body;
      const reduced = axes.map((axis) => x.shape[axis]);
      return {
        ...base,
        kind: "loop",
        inputs,
        body,
        fold: { reduced, combine: record.combine, order: last ? "lanes" : "chunks" },
      };
    }
    case "matmul": {
      const [a, b] = operands.map(asInput);
      const [left, right] = productViews(a.view, b.view);
      return {
        ...base,
        kind: "loop",
        inputs: [
          { ...a, view: left },
          { ...b, view: right },
        ],
        body: e.mul(e.input(0, node.dtype), e.input(1, node.dtype)),
        fold: { reduced: a.view.shape.slice(-1), combine: "sum", order: "chunks" },
      };
    }
    case "gather": {
      const [x, at] = operands.map(asInput);
      return {
        ...base,
        kind: "loop",
        inputs: [byIndex(x, node.attributes.axis as number, at)],
        body: e.input(0, node.dtype),
      };
    }
    case "special": {
      const inputs = operands.map(asInput);
      return {
        kind: record.of,
        ...base,
        inputs,
        ...record.kernel(node, inputs, firstDraw(node, drawBase)),
      } as SpecialKernel;
    }
    default:
      throw new TypeError(`no kernel family for ${record.kind}`);
  }
}
