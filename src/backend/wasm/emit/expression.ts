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

/**
 * Prints expressions into a function. Code is emitted where it stands, so a shared part is computed where it is first used; the code that
 * comes back must be placed in the order in which it was asked for.
 */
export class ExpressionPrinter {
  readonly #fn: FunctionBuilder;
  readonly #lanes: Lanes;
  readonly #uses = new Map<Expr, number>();
  readonly #locals = new Map<Expr, Local>();
  readonly #roots: readonly Expr[];
  /** The inputs that are read. */
  readonly inputs: ReadonlySet<number>;

  /** Of the roots, in the order in which they are printed. */
  constructor(fn: FunctionBuilder, lanes: Lanes, roots: readonly Expr[]) {
    this.#fn = fn;
    this.#lanes = lanes;
    this.#roots = roots;
    const seen = new Set<Expr>();
    const inputs = new Set<number>();
    for (const root of roots) {
      this.#uses.set(root, (this.#uses.get(root) ?? 0) + 1);
      for (const expr of topological(root, alwaysComputed)) {
        if (seen.has(expr)) continue;
        seen.add(expr);
        if (expr.kind === "input") inputs.add(expr.index);
        for (const child of alwaysComputed(expr)) this.#uses.set(child, (this.#uses.get(child) ?? 0) + 1);
      }
    }
    this.inputs = inputs;
  }

  /** The roots at one point. */
  print(leaves: Leaves): Value[] {
    const done = new Set<Expr>();
    const visit = (expr: Expr): Value => {
      if (expr.kind === "constant") return this.#lanes.constant(expr.type, expr.value);
      if ((this.#uses.get(expr) ?? 0) < 2) return this.#operation(expr, leaves, visit);
      let local = this.#locals.get(expr);
      if (!local) {
        local = this.#fn.local(this.#lanes.valueType(expr.type));
        this.#locals.set(expr, local);
      }
      if (done.has(expr)) return local;
      const code = this.#operation(expr, leaves, visit);
      done.add(expr);
      return local.tee(code);
    };
    return this.#roots.map(visit);
  }

  #operation(expr: Expr, leaves: Leaves, visit: (expr: Expr) => Value): Value {
    const lanes = this.#lanes;
    switch (expr.kind) {
      case "constant":
        return lanes.constant(expr.type, expr.value);
      case "input":
        return leaves(expr.index);
      case "unary":
        return unary(this.#fn, lanes, expr.op, expr.x.type, visit(expr.x));
      case "binary": {
        const a = visit(expr.a);
        return binary(this.#fn, lanes, expr.op, expr.type, a, visit(expr.b));
      }
      case "compare": {
        const a = visit(expr.a);
        return lanes.compare(expr.op, expr.a.type, a, visit(expr.b));
      }
      case "select":
        return expr.of ? this.#rare(expr, expr.of, visit) : this.#select(expr, visit);
    }
  }

  /** A choice; one whose condition compares its own two sides is a single instruction with SIMD, one with a 0 is a mask. */
  #select(expr: Expr & { kind: "select" }, visit: (expr: Expr) => Value): Value {
    const { condition, yes, no } = expr;
    const lanes = this.#lanes;
    if (lanes.width === 4 && expr.type === "float32" && condition.kind === "compare" && !this.#isShared(condition)) {
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
  }

  /** `no`, and where the condition holds in some lane, `yes` in those lanes: by a function, whose constants and locals then take no registers here. */
  #rare(expr: Expr & { kind: "select" }, of: Expr, visit: (expr: Expr) => Value): Value {
    const fn = this.#fn;
    return fn.value(() => {
      const value = fn.let(visit(expr.no));
      const argument = fn.let(visit(of));
      const mask = fn.let(visit(expr.condition));
      const rare = call<"v128">(this.#functionOf(expr, of), argument, mask, value);
      fn.when(this.#lanes.some(mask), () => value.set(rare));
      return value;
    });
  }

  /** (`of`, condition, `no`) → the choice. */
  #functionOf({ type, condition, yes }: Expr & { kind: "select" }, of: Expr): FunctionBuilder {
    const lanes = this.#lanes;
    const body = exchanged(yes, of, input(0, of.type));
    const { module } = this.#fn;
    return module.shared(`rare ${lanes.width} ${expressionText(body)}`, () => {
      const types = [of, condition, yes].map((each) => lanes.valueType(each.type));
      const fn = module.function("rare", types, [lanes.valueType(type)]);
      const [argument, where, no] = fn.parameters;
      const [value] = new ExpressionPrinter(fn, lanes, [body]).print(() => argument);
      fn.emit(lanes.select(type, where, value, no));
      return fn;
    });
  }

  #isShared(expr: Expr): boolean {
    return (this.#uses.get(expr) ?? 0) > 1;
  }
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
