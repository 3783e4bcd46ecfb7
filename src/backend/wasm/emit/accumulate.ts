// Accumulators of reductions, over four lanes or one: what they start from, how a value joins, and how argmax keeps its index. The order in
// which values join is the reduction's own matter.
import type { ScalarType } from "../../../../kernels/expr.ts";
import { type Argument, type Join, neutral } from "../../../../kernels/kernel.ts";
import { type Code, type FunctionBuilder, f32x4, type Local, type Value, v128 } from "../assembler/assembler.ts";
import { evenly, type Lanes } from "./lanes.ts";

/** a, then b, combined as NUMERICS.md says; `a` is a local, since max and min look at it more than once. */
export function combined(
  fn: FunctionBuilder,
  lanes: Lanes,
  combine: Join,
  type: ScalarType,
  a: Local,
  b: Value,
): Value {
  if (combine === "sum" || combine === "prod") return lanes.binary(combine === "sum" ? "add" : "mul", type, a, b);
  const other = fn.local(lanes.valueType(type));
  const second = other.tee(b);
  return lanes.select(type, stays(lanes, combine, type, a, other), a, second);
}

/** Whether `a` is kept when `b` comes: it is no worse, or a NaN. */
function stays(lanes: Lanes, combine: "max" | "min", type: ScalarType, a: Local, b: Local): Value {
  const wins = lanes.compare(combine === "max" ? "ge" : "le", type, a, b);
  if (type !== "float32") return wins;
  return lanes.binary("or", "bool", wins, lanes.compare("ne", type, a, a));
}

/**
 * The greatest or least of many vectors, in as many accumulators as `count`, for results in which any NaN shows: an instruction takes the value, and NaN is
 * looked for beside it, which makes the chain from one value to the next short.
 */
export function extremes(fn: FunctionBuilder, combine: "max" | "min", count: number) {
  const taken = combine === "max" ? f32x4.pmax : f32x4.pmin;
  const other = fn.local("v128");
  /** Where NaN was, of each accumulator. */
  const unordered = Array.from({ length: count }, () => fn.let(v128.const(0, 0, 0, 0)));
  return {
    unordered,
    /** A value joins what accumulator `number`, `into`, holds, which is never NaN: an equal one stays out, and so does NaN. */
    take(number: number, into: Local<"v128">, value: Code<"v128">): void {
      other.set(value);
      into.set(taken(into, other));
      unordered[number].set(v128.or(unordered[number], f32x4.ne(other, other)));
    },
    /** Makes lanes of `into` NaN if any value in them was. */
    finish: (into: Local<"v128">) => into.set(unordered.reduce<Code<"v128">>((all, each) => v128.or(all, each), into)),
  };
}

/** The best value so far and its index; NaN wins, the first of equals stays: before the first element ties resolve to the lowest index. */
export function winnerOf(fn: FunctionBuilder, lanes: Lanes, combine: Argument, type: ScalarType) {
  const best = fn.let(lanes.constant(type, neutral(combine, type)));
  const index = fn.let(lanes.constant("int32", 0));
  const other = fn.local(lanes.valueType(type));
  const stay = fn.local(lanes.valueType("bool"));
  /** A value joins. */
  const join = (value: Value, at: Local<"i32">): void => {
    other.set(value);
    stay.set(stays(lanes, combine === "argmax" ? "max" : "min", type, best, other));
    best.set(lanes.select(type, stay, best, other));
    index.set(lanes.select("int32", stay, index, lanes.ramp(evenly(0), at)));
  };
  return { index, join };
}
