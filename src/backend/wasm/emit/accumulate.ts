// Accumulators of reductions, over four lanes or one: what they start from, how a value joins, and how argmax keeps its index. The order in
// which values join is the reduction's own matter.
import type { ScalarType } from "../../../../kernels/expr.ts";
import { type Join, neutral } from "../../../../kernels/kernel.ts";
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
 * The greatest or least of many vectors, for results in which any NaN shows: an instruction takes the value, and NaN is looked for beside
 * it, which makes the chain from one value to the next short.
 */
export class Extreme {
  readonly #take: typeof f32x4.pmax;
  readonly #value: Local<"v128">;
  /** Where NaN was, of each accumulator. */
  readonly unordered: readonly Local<"v128">[];

  constructor(fn: FunctionBuilder, combine: "max" | "min", count: number) {
    this.#take = combine === "max" ? f32x4.pmax : f32x4.pmin;
    this.#value = fn.local("v128");
    this.unordered = Array.from({ length: count }, () => fn.let(v128.const(0, 0, 0, 0)));
  }

  /** A value joins what accumulator `number`, `into`, holds, which is never NaN: an equal one stays out, and so does NaN. */
  take(number: number, into: Local<"v128">, value: Code<"v128">): void {
    const other = this.#value;
    const { [number]: unordered } = this.unordered;
    other.set(value);
    into.set(this.#take(into, other));
    unordered.set(v128.or(unordered, f32x4.ne(other, other)));
  }

  /** Makes lanes of `into` NaN if any value in them was. */
  finish(into: Local<"v128">): void {
    into.set(this.unordered.reduce<Code<"v128">>((all, each) => v128.or(all, each), into));
  }
}

/** The best value so far and its index; NaN wins, the first of equals stays. */
export class ArgAccumulator {
  readonly index: Local;
  readonly #lanes: Lanes;
  readonly #type: ScalarType;
  readonly #combine: "argmax" | "argmin";
  readonly #best: Local;
  readonly #value: Local;
  readonly #stays: Local;

  /** Before the first element: ties resolve to the lowest index. */
  constructor(fn: FunctionBuilder, lanes: Lanes, combine: "argmax" | "argmin", type: ScalarType) {
    this.#lanes = lanes;
    this.#type = type;
    this.#combine = combine;
    this.#best = fn.let(lanes.constant(type, neutral(combine, type)));
    this.index = fn.let(lanes.constant("int32", 0));
    this.#value = fn.local(lanes.valueType(type));
    this.#stays = fn.local(lanes.valueType("bool"));
  }

  /** A value joins. */
  join(value: Value, index: Local<"i32">): void {
    const lanes = this.#lanes;
    const type = this.#type;
    const [best, other, stay] = [this.#best, this.#value, this.#stays];
    other.set(value);
    stay.set(stays(lanes, this.#combine === "argmax" ? "max" : "min", type, best, other));
    best.set(lanes.select(type, stay, best, other));
    this.index.set(lanes.select("int32", stay, this.index, lanes.ramp(evenly(0), index)));
  }
}
