// Single kernels and fused chains: workloads as cases.
import { normal, ops, permutation, type Tensor, uniform } from "../../src/index.ts";
import type { Case, Ceiling } from "../harness.ts";
import type { Unit } from "../results.ts";
import { fillAll, type Workload } from "../workloads.ts";
import { planRunner } from "./plan.ts";

/** A workload that one plan computes. */
export type Kernel = Exclude<Workload, { kind: "mlp" | "cnn" | "lstm" | "gpt" | "family" }>;

/** What a workload computes, as a function of tensors. */
export function programOf(workload: Kernel): (...operands: Tensor[]) => Tensor {
  switch (workload.kind) {
    case "matmul": {
      const { form } = workload;
      return (a, b) => (form === "tn" ? a.swapAxes() : a).matmul(form === "nt" ? b.swapAxes() : b);
    }
    case "conv2d":
      return (x, filters) => ops.conv2d(x, filters, undefined, { padding: 1 });
    case "elementwise": {
      const apply = (ops as unknown as Record<string, (...operands: Tensor[]) => Tensor>)[workload.op];
      return (...operands) => apply(...operands);
    }
    case "chain":
      return (a, b) => a.mul(b).add(a).sub(0.5).mul(b).maximum(0);
    case "sum":
      return (x) => (workload.axis === "all" ? x.sum() : x.sum({ axis: workload.axis }));
    case "softmax":
      return (x) => x.softmax();
    case "layerNorm":
      return (x) => x.layerNorm(ops.full([workload.columns], 1), ops.full([workload.columns], 0));
    case "gather":
      return (table, indices) => table.take(indices);
    case "scatter": {
      const { rows, columns, count } = workload;
      return (indices, updates) =>
        indices.reshape([count, 1]).broadcastTo([count, columns]).scatterAdd(updates, 0, rows);
    }
    case "uniform":
      return () => uniform([workload.count]);
    case "normal":
      return () => normal([workload.count]);
    case "permutation":
      return () => permutation(workload.count);
  }
}

/** Operations or elements a call. */
function workOf(workload: Kernel): number {
  switch (workload.kind) {
    case "matmul":
      return 2 * (workload.batch ?? 1) * workload.rows * workload.depth * workload.columns;
    case "conv2d":
      return 2 * 9 * workload.batch * workload.inputs * workload.outputs * workload.extent ** 2;
    case "sum":
    case "softmax":
    case "layerNorm":
      return workload.rows * workload.columns;
    case "gather":
    case "scatter":
      return workload.count * workload.columns;
    default:
      return workload.count;
  }
}

interface KernelOptions {
  readonly small?: boolean;
  readonly ceiling?: Ceiling;
  readonly about?: string;
  /** Estimated time of a call in µs, from which the fixed counts follow. */
  readonly microseconds: number;
}

/** A round takes about 8 ms at the estimated speed, the rounds together about a third of a second. */
function counts(microseconds: number): Pick<Case, "rounds" | "calls" | "warmup"> {
  const calls = Math.max(1, Math.min(1000, Math.round(8000 / microseconds)));
  const rounds = Math.max(9, Math.min(25, Math.round(330_000 / (calls * microseconds))));
  return { rounds, calls, warmup: Math.max(3, Math.min(2000, 3 * calls)) };
}

/** A workload as a case. */
export function kernelCase(
  name: string,
  workload: Kernel,
  { small, ceiling, about = workload.kind, microseconds }: KernelOptions,
): Case {
  const unit: Unit = workload.kind === "matmul" || workload.kind === "conv2d" ? "GFLOP/s" : "Gelem/s";
  return {
    name,
    about,
    unit,
    work: workOf(workload),
    ...counts(microseconds),
    small,
    workload,
    ceiling,
    place: "backend",
    prepare: (backend) => planRunner(backend, programOf(workload), fillAll(workload)),
  };
}
