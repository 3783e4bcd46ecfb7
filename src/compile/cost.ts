// What a kernel costs by its description alone: the arithmetic it does and the bytes it reads and writes. Counts, not times: a backend may keep
// what was just written in its caches, and a comparison or a select costs something too.
import { alwaysComputed, type Expr, topological } from "../../kernels/expr.ts";
import { elementBytes, type KernelInput, kernelInputs, loopShape } from "../../kernels/kernel.ts";
import { type Kernel, kindOf } from "../../kernels/kinds.ts";
import { itemSize } from "../core/dtype.ts";
import { sizeOf } from "../core/shape.ts";
import type { Plan } from "./plan.ts";

/** Counts for one run of a plan, or of a kernel as often as it is run there. */
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
  return topological(body, alwaysComputed).filter(counts).length;
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
  if (kernel.kind !== "loop") return kindOf(kernel).flops?.(kernel) ?? 0;
  const joins =
    (kernel.fold?.combine === "sum" || kernel.fold?.combine === "prod") && kernel.dtype === "float32" ? 1 : 0;
  return sizeOf(loopShape(kernel)) * (operations(kernel.body) + joins);
}

/** The cost of a kernel in one run of the plan: as often as it is run. */
export function kernelCost(kernel: Kernel, plan: Plan): Cost {
  const times = timesOf(kernel);
  const bytesRead = kernelInputs(kernel).reduce(
    (sum, input) => sum + elementsRead(input, plan) * elementBytes(input),
    0,
  );
  const bytesWritten = sizeOf(kernel.shape) * elementBytes(kernel);
  return { flops: times * flopsOf(kernel), bytesRead: times * bytesRead, bytesWritten: times * bytesWritten };
}

/** How often a run runs a kernel. */
export function timesOf({ repeat }: Kernel): number {
  let times = 1;
  for (let loop = repeat; loop; loop = loop.within) times *= loop.count;
  return times;
}

/** The cost of one run of the plan: its kernels, as often as they are run. */
export function planCost(plan: Plan): Cost {
  const costs = plan.kernels.map((kernel) => kernelCost(kernel, plan));
  const total = (what: keyof Cost) => costs.reduce((sum, cost) => sum + cost[what], 0);
  return { flops: total("flops"), bytesRead: total("bytesRead"), bytesWritten: total("bytesWritten") };
}

/** Bytes of what a run of the plan is given and gives. */
export function portBytes({ inputs, outputs, state }: Plan): number {
  const updated = new Set(state.map(({ output }) => output));
  const ports = [...inputs, ...outputs.filter((_, i) => !updated.has(i))];
  return ports.reduce((sum, { dtype, shape }) => sum + itemSize(dtype) * sizeOf(shape), 0);
}
