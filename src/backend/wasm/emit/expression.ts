// Scalar expressions as WebAssembly code: a tree of instructions, with shared parts kept in locals. One rounding there is one here.
import { alwaysComputed, type Expr, exchanged, input, topological } from "../../../../kernels/expr.ts";
import { expressionText } from "../../../../kernels/text.ts";
import { type Code, call, type FunctionBuilder, f32x4, type Local, type Value } from "../assembler/assembler.ts";
import type { Lanes } from "./lanes.ts";
import { binary, unary } from "./operation.ts";

/** How the printer reads an input at the point it is at. */
export type Leaves = (index: number) => Value;

const isZero = (expr: Expr) => expr.kind === "constant" && Object.is(expr.value, 0);
const isSame = (a: Expr, b: Expr) =>
  a === b || (a.kind === "constant" && b.kind === "constant" && a.type === b.type && Object.is(a.value, b.value));

/** What prints expressions, and the inputs that they read. */
export interface ExpressionPrinter {
  readonly inputs: ReadonlySet<number>;
  /** The expressions at one point. */
  print(leaves: Leaves): Value[];
}

/**
 * Prints expressions into a function. Code is emitted where it stands, so a shared part is computed where it is first used; the code that
 * comes back must be placed in the order in which it was asked for.
 * The roots are printed in their order.
 */
export function expressionPrinter(fn: FunctionBuilder, lanes: Lanes, roots: readonly Expr[]): ExpressionPrinter {
  const uses = new Map<Expr, number>();
  const locals = new Map<Expr, Local>();
  const seen = new Set<Expr>();
  const inputs = new Set<number>();
  const usesOf = (expr: Expr) => uses.get(expr) ?? 0;
  for (const root of roots) {
    uses.set(root, usesOf(root) + 1);
    for (const expr of topological(root, alwaysComputed)) {
      if (seen.has(expr)) continue;
      seen.add(expr);
      if (expr.kind === "input") inputs.add(expr.index);
      for (const child of alwaysComputed(expr)) uses.set(child, usesOf(child) + 1);
    }
  }

  /** (`of`, condition, `no`) → the choice. */
  const functionOf = ({ type, condition, yes }: Expr & { kind: "select" }, of: Expr): FunctionBuilder => {
    const body = exchanged(yes, new Map([[of, input(0, of.type)]]));
    const { module } = fn;
    return module.shared(`rare ${lanes.width} ${expressionText(body)}`, () => {
      const types = [of, condition, yes].map((each) => lanes.valueType(each.type));
      const own = module.function("rare", types, [lanes.valueType(type)]);
      const [argument, where, no] = own.parameters;
      const [value] = expressionPrinter(own, lanes, [body]).print(() => argument);
      own.emit(lanes.select(type, where, value, no));
      return own;
    });
  };

  /** `no`, and where the condition holds in some lane, `yes` in those lanes: by a function, whose constants and locals then take no registers here. */
  const rarely = (expr: Expr & { kind: "select" }, of: Expr, visit: (expr: Expr) => Value): Value => {
    return fn.value(() => {
      const value = fn.let(visit(expr.no));
      const argument = fn.let(visit(of));
      const mask = fn.let(visit(expr.condition));
      const rare = call<"v128">(functionOf(expr, of), argument, mask, value);
      fn.when(lanes.some(mask), () => value.set(rare));
      return value;
    });
  };

  /** A choice; one whose condition compares its own two sides is a single instruction with SIMD, one with a 0 is a mask. */
  const choice = (expr: Expr & { kind: "select" }, visit: (expr: Expr) => Value): Value => {
    const { condition, yes, no } = expr;
    if (lanes.width === 4 && expr.type === "float32" && condition.kind === "compare" && usesOf(condition) < 2) {
      const extreme = extremeOf(condition, yes, no);
      if (extreme) {
        const a = visit(extreme.a) as Code<"v128">;
        return extreme.print(a, visit(extreme.b) as Code<"v128">);
      }
    }
    if (lanes.width === 4 && (isZero(no) || isZero(yes))) {
      const value = visit(isZero(no) ? yes : no);
      return lanes.keep(expr.type, visit(condition), value, isZero(no));
    }
    const a = visit(yes);
    const b = visit(no);
    return lanes.select(expr.type, visit(condition), a, b);
  };

  const operation = (expr: Expr, leaves: Leaves, visit: (expr: Expr) => Value): Value => {
    switch (expr.kind) {
      case "constant":
        return lanes.constant(expr.type, expr.value);
      case "input":
        return leaves(expr.index);
      case "unary":
        return unary(fn, lanes, expr.op, expr.x.type, visit(expr.x));
      case "binary": {
        const a = visit(expr.a);
        return binary(fn, lanes, expr.op, expr.type, a, visit(expr.b));
      }
      case "compare": {
        const a = visit(expr.a);
        return lanes.compare(expr.op, expr.a.type, a, visit(expr.b));
      }
      case "select":
        return expr.of ? rarely(expr, expr.of, visit) : choice(expr, visit);
    }
  };

  const print = (leaves: Leaves): Value[] => {
    const done = new Set<Expr>();
    const visit = (expr: Expr): Value => {
      if (expr.kind === "constant") return lanes.constant(expr.type, expr.value);
      if (usesOf(expr) < 2) return operation(expr, leaves, visit);
      const local = locals.get(expr) ?? fn.local(lanes.valueType(expr.type));
      locals.set(expr, local);
      if (done.has(expr)) return local;
      const code = operation(expr, leaves, visit);
      done.add(expr);
      return local.tee(code);
    };
    return roots.map(visit);
  };
  return { inputs, print };
}

/** pmax(a, b) is a < b ? b : a; pmin(a, b) is b < a ? b : a: exactly a choice by `lt`, with `gt` the other way round. */
function extremeOf(condition: Expr & { kind: "compare" }, yes: Expr, no: Expr) {
  const { op } = condition;
  if (op !== "lt" && op !== "gt") return null;
  const [low, high] = op === "lt" ? [condition.a, condition.b] : [condition.b, condition.a];
  if (isSame(low, no) && isSame(high, yes)) return { a: no, b: yes, print: f32x4.pmax };
  if (isSame(low, yes) && isSame(high, no)) return { a: no, b: yes, print: f32x4.pmin };
  return null;
}
