// What a kernel costs by its description alone: the arithmetic it does and the bytes it reads and writes. Counts, not times: a backend may keep
// what was just written in its caches, and a comparison or a select costs something too.
import { assembleStages } from "../../kernels/assemble.ts";
import { type Expr, topological } from "../../kernels/expr.ts";
import {
  elementBytes,
  type Kernel,
  type KernelInput,
  kernelInputs,
  loopShape,
  placedPieces,
} from "../../kernels/kernel.ts";
import { sizeOf } from "../core/shape.ts";
import { type Plan, valueBytes } from "./plan.ts";

/** Counts for one run of a kernel, or of a plan. */
export interface Cost {
  /** float32 + − × ÷ √: a multiply-add is two. */
  readonly flops: number;
  /** Bytes read: each element of a source once a kernel, however often a view repeats it. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** float32 arithmetic in one evaluation of an expression, shared subtrees once. */
function operations(body: Expr): number {
  const counts = (expr: Expr) =>
    expr.type === "float32" && (expr.kind === "binary" || (expr.kind === "unary" && expr.op === "sqrt"));
  return topological(body).filter(counts).length;
}

/** Elements of the source that a view can reach: no more than there are, and no more than the view has points along axes that move, and places for an index. */
function elementsRead({ source, view, index }: KernelInput, plan: Plan): number {
  if (typeof source !== "number") return 0;
  const reached = view.shape.reduce(
    (product, extent, axis) => (view.strides[axis] === 0 ? product : product * extent),
    index?.extent ?? 1,
  );
  return Math.min(reached, plan.values[source].size);
}

function flopsOf(kernel: Kernel): number {
  switch (kernel.kind) {
    case "loop": {
      const joins = kernel.fold?.combine === "sum" && kernel.dtype === "float32" ? 1 : 0;
      return sizeOf(loopShape(kernel)) * (operations(kernel.body) + joins);
    }
    case "scatter":
      return sizeOf(kernel.updates.view.shape);
    case "assemble": {
      const added = assembleStages(kernel.shape, placedPieces(kernel)).flatMap((stage) =>
        stage.kind === "add" ? stage.pieces : [],
      );
      return added.reduce((sum, i) => sum + sizeOf(kernel.pieces[i].input.view.shape), 0);
    }
    default:
      return 0;
  }
}

/** The cost of a kernel of the plan. */
export function kernelCost(kernel: Kernel, plan: Plan): Cost {
  const bytesRead = kernelInputs(kernel).reduce(
    (sum, input) => sum + elementsRead(input, plan) * elementBytes(input),
    0,
  );
  return { flops: flopsOf(kernel), bytesRead, bytesWritten: sizeOf(kernel.shape) * elementBytes(kernel) };
}

/** The cost of one run of the plan: its kernels, and the copies at its end. */
export function planCost(plan: Plan): Cost {
  const copied = plan.copies.reduce((sum, { from }) => sum + valueBytes(plan.values[from]), 0);
  return plan.kernels
    .map((kernel) => kernelCost(kernel, plan))
    .reduce(
      (sum, cost) => ({
        flops: sum.flops + cost.flops,
        bytesRead: sum.bytesRead + cost.bytesRead,
        bytesWritten: sum.bytesWritten + cost.bytesWritten,
      }),
      { flops: 0, bytesRead: copied, bytesWritten: copied },
    );
}
