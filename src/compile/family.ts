// Kernels of the families that read buffers: reductions, products, reads and writes by index, samplers.
import * as e from "../../kernels/expr.ts";
import type { Kernel, KernelInput } from "../../kernels/kernel.ts";
import { transposeView } from "../../kernels/view.ts";
import { sizeOf } from "../core/shape.ts";
import type { Node } from "../graph/node.ts";
import type { recordOf } from "../ops/define.ts";
import { firstDraw, type Lazy } from "./lazy.ts";

/** The kernel of a node whose family reads buffers. */
export function lowerFamily(
  node: Node,
  record: ReturnType<typeof recordOf>,
  operands: readonly Lazy[],
  output: number,
  asInput: (lazy: Lazy) => KernelInput,
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
      return {
        kind: "reduce",
        ...base,
        reduced: axes.map((axis) => x.shape[axis]),
        order: last ? "lanes" : "chunks",
        combine: record.combine,
        inputs,
        body: x.dtype === "bool" ? e.toInt32(x.body) : x.body,
      };
    }
    case "matmul": {
      const [a, b] = operands.map(asInput);
      return { kind: "matmul", ...base, depth: a.view.shape[a.view.shape.length - 1], a, b };
    }
    case "gather":
      return {
        kind: "gather",
        ...base,
        axis: node.attributes.axis as number,
        x: asInput(operands[0]),
        indices: asInput(operands[1]),
      };
    case "scatter":
      return {
        kind: "scatter",
        ...base,
        axis: node.attributes.axis as number,
        indices: asInput(operands[0]),
        updates: asInput(operands[1]),
      };
    case "assemble": {
      const { starts, steps } = node.attributes as { starts: number[][]; steps: number[][] };
      const pieces = operands.map((piece, i) => ({ piece, starts: starts[i], steps: steps[i] }));
      const filled = pieces.filter(({ piece }) => sizeOf(piece.shape) > 0);
      return {
        kind: "assemble",
        ...base,
        pieces: filled.map(({ piece, ...place }) => ({ input: asInput(piece), ...place })),
      };
    }
    case "random": {
      const { low, high } = node.attributes as { low?: number; high?: number };
      return {
        kind: "random",
        ...base,
        sampler: record.sampler,
        offset: firstDraw(node, drawBase),
        draws: node.draws!.count,
        low,
        high,
      };
    }
    default:
      throw new TypeError(`no kernel family for ${record.kind}`);
  }
}
