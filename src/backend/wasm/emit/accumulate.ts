// Accumulators of reductions, over four lanes or one: what they start from, how a value joins, and how argmax keeps its index. The order in
// which values join is the reduction's own matter.
import type { ScalarType } from "../../../../kernels/expr.ts";
import { type Join, neutral } from "../../../../kernels/kernel.ts";
import { type Code, type FunctionBuilder, type Local, sequence } from "../assembler/assembler.ts";
import { f32x4, v128 } from "../assembler/instructions.ts";
import { evenly, type Lanes } from "./lanes.ts";

/** a, then b, combined as NUMERICS.md says; `a` is a local, since max and min look at it more than once. */
export function combined(fn: FunctionBuilder, lanes: Lanes, combine: Join, type: ScalarType, a: Local, b: Code): Code {
  if (combine === "sum" || combine === "prod") return lanes.binary(combine === "sum" ? "add" : "mul", type, a.get, b);
  const first = a.get;
  const other = fn.local(lanes.valueType(type));
  const second = other.tee(b as never);
  return lanes.select(type, stays(lanes, combine, type, a, other), first, second);
}

/** Whether `a` is kept when `b` comes: it is no worse, or a NaN. */
function stays(lanes: Lanes, combine: "max" | "min", type: ScalarType, a: Local, b: Local): Code {
  const wins = lanes.compare(combine === "max" ? "ge" : "le", type, a.get, b.get);
  if (type !== "float32") return wins;
  return lanes.binary("or", "bool", wins, lanes.compare("ne", type, a.get, a.get));
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
    this.unordered = Array.from({ length: count }, () => fn.local("v128"));
  }

  /** Code to run first. */
  get start(): Code[] {
    return this.unordered.map((each) => each.set(v128.const(0, 0, 0, 0)));
  }

  /** A value joins what accumulator `number`, `into`, holds, which is never NaN: an equal one stays out, and so does NaN. */
  take(number: number, into: Local<"v128">, value: Code<"v128">): Code {
    const other = this.#value;
    const { [number]: unordered } = this.unordered;
    return sequence(
      other.set(value),
      into.set(this.#take(into.get, other.get)),
      unordered.set(v128.or(unordered.get, f32x4.ne(other.get, other.get))),
    );
  }

  /** Makes lanes of `into` NaN if any value in them was. */
  finish(into: Local<"v128">): Code {
    return into.set(this.unordered.reduce<Code<"v128">>((all, each) => v128.or(all, each.get), into.get));
  }
}

/** The best value so far and its index; NaN wins, the first of equals stays. */
export class ArgAccumulator {
  readonly #lanes: Lanes;
  readonly #type: ScalarType;
  readonly #combine: "argmax" | "argmin";
  readonly #best: Local;
  readonly #index: Local;
  readonly #value: Local;
  readonly #stays: Local;

  constructor(fn: FunctionBuilder, lanes: Lanes, combine: "argmax" | "argmin", type: ScalarType) {
    this.#lanes = lanes;
    this.#type = type;
    this.#combine = combine;
    this.#best = fn.local(lanes.valueType(type));
    this.#index = fn.local(lanes.valueType("int32"));
    this.#value = fn.local(lanes.valueType(type));
    this.#stays = fn.local(lanes.valueType("bool"));
  }

  /** Before the first element: ties resolve to the lowest index. */
  start(): Code[] {
    const none = this.#lanes.constant(this.#type, neutral(this.#combine, this.#type));
    return [this.#best.set(none as never), this.#index.set(this.#lanes.constant("int32", 0) as never)];
  }

  /** A value joins. */
  join(value: Code, index: Local<"i32">): Code[] {
    const lanes = this.#lanes;
    const type = this.#type;
    const put = (local: Local, code: Code) => local.set(code as never);
    const extreme = this.#combine === "argmax" ? "max" : "min";
    return [
      put(this.#value, value),
      put(this.#stays, stays(lanes, extreme, type, this.#best, this.#value)),
      put(this.#best, lanes.select(type, this.#stays.get, this.#best.get, this.#value.get)),
      put(this.#index, lanes.select("int32", this.#stays.get, this.#index.get, lanes.ramp(index.get, evenly(0)))),
    ];
  }

  get index(): Code {
    return this.#index.get;
  }
}
