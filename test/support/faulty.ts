// Devices for tests of certificates: the interpreter with a fault that a shader's compiler may have.
import * as e from "../../kernels/expr.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { hostBackend } from "../../src/backend/host.ts";
import { interpretKernel } from "../../src/backend/interpret.ts";
import type { Backend } from "../../src/compile/contract.ts";

const isSum = (expr: e.Expr): expr is e.Expr & { kind: "binary" } =>
  expr.kind === "binary" && expr.op === "add" && expr.type === "float32";
const isProduct = (expr: e.Expr): expr is e.Expr & { kind: "binary" } =>
  expr.kind === "binary" && expr.op === "mul" && expr.type === "float32";

/** What a product lost in rounding (Dekker 1971). */
function lost({ a, b }: e.Expr & { kind: "binary" }): e.Expr {
  const halves = (x: e.Expr) => {
    const scaled = e.mul(x, 4097);
    const high = e.sub(scaled, e.sub(scaled, x));
    return [high, e.sub(x, high)];
  };
  const [[a1, a0], [b1, b0]] = [halves(a), halves(b)];
  const high = e.sub(e.mul(a1, b1), e.mul(a, b));
  return e.add(e.add(e.add(high, e.mul(a1, b0)), e.mul(a0, b1)), e.mul(a0, b0));
}

/** A fault of what a loop computes of one point. */
export const inBody = (change: (expr: e.Expr) => e.Expr) => (kernel: Kernel) =>
  kernel.kind === "loop" ? { ...kernel, body: e.rewrite(kernel.body, change) } : kernel;

/** Faults by name: a kernel as such a device would run it. */
export const faults: Readonly<Record<string, (kernel: Kernel) => Kernel>> = {
  contracts: inBody((expr) => (isSum(expr) && isProduct(expr.a) ? e.add(expr, lost(expr.a)) : expr)),
  flushes: inBody((expr) =>
    expr.kind === "binary" && expr.type === "float32" ? e.select(e.lt(e.abs(expr), 2 ** -126), 0, expr) : expr,
  ),
  reassociates(kernel) {
    const changed = inBody((expr) => (isSum(expr) && isSum(expr.a) ? e.add(expr.a.a, e.add(expr.a.b, expr.b)) : expr))(
      kernel,
    );
    if (changed.kind !== "loop" || !changed.fold) return changed;
    return { ...changed, fold: { ...changed.fold, order: changed.fold.order === "lanes" ? "chunks" : "lanes" } };
  },
  "divides loosely": inBody((expr) =>
    expr.kind === "binary" && expr.op === "div" && expr.type === "float32" ? e.mul(expr.a, e.div(1, expr.b)) : expr,
  ),
};

/** A backend of class B with a fault, or without any. */
export const device = (fault: (kernel: Kernel) => Kernel = (kernel) => kernel): Backend =>
  hostBackend({ name: "device", class: "B", prepare: (kernel, plan) => interpretKernel(fault(kernel), plan) });
