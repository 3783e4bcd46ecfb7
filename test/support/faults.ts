// Backends that go wrong on purpose, in one way each: kernels are interpreted as they should be, and one kind of them isn't.
import * as e from "../../kernels/expr.ts";
import type { LoopKernel } from "../../kernels/kernel.ts";
import type { Kernel } from "../../kernels/kinds.ts";
import { asProduct } from "../../kernels/product.ts";
import { hostBackend, type KernelCall, type KernelRunner } from "../../src/backend/host.ts";
import { interpretKernel, reader } from "../../src/backend/interpret.ts";
import type { Backend } from "../../src/compile/contract.ts";
import type { Plan } from "../../src/compile/plan.ts";
import type { TypedArray } from "../../src/core/dtype.ts";

type Fault = (kernel: Kernel, plan: Plan) => KernelRunner | undefined;

/** A backend with a fault: where `fault` gives no runner, the kernel is as it should be. */
export function faulty(fault: Fault): Backend {
  const prepare = (kernel: Kernel, plan: Plan) => fault(kernel, plan) ?? interpretKernel(kernel, plan);
  return hostBackend({ name: "faulty", class: "A", prepare });
}

/** Changes what a kernel has written. */
export function afterwards(
  kernel: Kernel,
  plan: Plan,
  change: (out: TypedArray, call: KernelCall) => void,
): KernelRunner {
  const runner = interpretKernel(kernel, plan);
  return {
    where: "faulty",
    run(call) {
      void runner.run(call);
      change(call.array(kernel.output), call);
    },
  };
}

/** Map kernels whose body is changed before it is interpreted. */
export const withBody =
  (change: (body: e.Expr) => e.Expr): Fault =>
  (kernel, plan) => {
    if (kernel.kind !== "loop") return undefined;
    const body = change(kernel.body);
    return body === kernel.body ? undefined : interpretKernel({ ...kernel, body }, plan);
  };

/** The body with one constant in place of another. */
export function exchangeConstant(body: e.Expr, from: number, to: number): e.Expr {
  const wanted = Math.fround(from);
  const holds = e.topological(body).some((expr) => expr.kind === "constant" && expr.value === wanted);
  if (!holds) return body;
  return rewritten(body, (expr) =>
    expr.kind === "constant" && expr.value === wanted ? e.constant(to, expr.type) : expr,
  );
}

/** The body with each of its expressions exchanged, once what it is made of has been. */
function rewritten(body: e.Expr, exchange: (expr: e.Expr) => e.Expr): e.Expr {
  const done = new Map<e.Expr, e.Expr>();
  for (const expr of e.topological(body)) {
    const get = (child: e.Expr) => done.get(child)!;
    if (expr.kind === "unary") done.set(expr, exchange({ ...expr, x: get(expr.x) }));
    else if (expr.kind === "binary" || expr.kind === "compare")
      done.set(expr, exchange({ ...expr, a: get(expr.a), b: get(expr.b) }));
    else if (expr.kind === "select")
      done.set(expr, exchange({ ...expr, condition: get(expr.condition), yes: get(expr.yes), no: get(expr.no) }));
    else done.set(expr, exchange(expr));
  }
  return done.get(body)!;
}

/** The body with `≤` in place of each `<`. */
export function loosenComparisons(body: e.Expr): e.Expr {
  return rewritten(body, (expr) => (expr.kind === "compare" && expr.op === "lt" ? { ...expr, op: "le" } : expr));
}

/** Elements of a kernel's contiguous inputs, as a matmul of two plain operands has them; undefined where a view isn't plain. */
export function matmulElements(
  kernel: Kernel,
  call: KernelCall,
): { a: (i: number, k: number) => number; b: (k: number, j: number) => number; depth: number } | undefined {
  const product = asProduct(kernel);
  if (!product || kernel.shape.length !== 2) return undefined;
  const read = ({ source, view: { strides, offset } }: typeof product.a) => {
    const data = call.array(source as number);
    return (i: number, j: number) => data[offset + i * strides[0] + j * strides[1]];
  };
  return { a: read(product.a), b: read(product.b), depth: product.depth };
}

/** A map kernel computed an element at a time by `value`, which is given the expression and how its leaves are read. */
export function elementwise(
  kernel: LoopKernel,
  plan: Plan,
  value: (expr: e.Expr, read: (index: number) => number) => number,
): KernelRunner {
  const readers = kernel.inputs.map((input) => reader(input, plan));
  return {
    where: "faulty",
    run(call) {
      const inputs = readers.map((read) => read(call));
      const out = call.array(kernel.output);
      for (let i = 0; i < out.length; i++) out[i] = value(kernel.body, (index) => inputs[index][i]);
    },
  };
}

/** Arithmetic with a product and the sum after it in one rounding: but for halfway cases of the second rounding, which are not met here. Only + − × ÷ √, comparisons and selects. */
export function contracting(expr: e.Expr, read: (index: number) => number): number {
  const of = (child: e.Expr) => contracting(child, read);
  const round = Math.fround;
  switch (expr.kind) {
    case "input":
      return read(expr.index);
    case "constant":
      return expr.value;
    case "select":
      return of(expr.condition) ? of(expr.yes) : of(expr.no);
    case "unary":
      if (expr.op === "sqrt") return round(Math.sqrt(of(expr.x)));
      if (expr.op === "neg") return -of(expr.x);
      throw new Error(`not here: ${expr.op}`);
    case "compare": {
      const [a, b] = [of(expr.a), of(expr.b)];
      return Number({ lt: a < b, le: a <= b, eq: a === b, ne: a !== b, gt: a > b, ge: a >= b }[expr.op]);
    }
    case "binary": {
      const { a, b, op } = expr;
      const isProduct = (side: e.Expr): side is e.Expr & { kind: "binary" } =>
        side.kind === "binary" && side.op === "mul";
      if (op === "add" && isProduct(a)) return round(of(a.a) * of(a.b) + of(b));
      if (op === "add" && isProduct(b)) return round(of(b.a) * of(b.b) + of(a));
      if (op === "sub" && isProduct(a)) return round(of(a.a) * of(a.b) - of(b));
      if (op === "sub" && isProduct(b)) return round(of(a) - of(b.a) * of(b.b));
      if (op === "add") return round(of(a) + of(b));
      if (op === "sub") return round(of(a) - of(b));
      return op === "mul" ? round(of(a) * of(b)) : round(of(a) / of(b));
    }
  }
}
