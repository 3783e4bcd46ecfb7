// Accumulators of reductions, over four lanes or one: what they start from, how a value joins, and how argmax keeps its index. The order in
// which values join is the reduction's own matter.
import type { ScalarType } from "../../../kernels/expr.ts";
import type { Combine } from "../../../kernels/kernel.ts";
import { type Code, type FunctionBuilder, type Local, sequence } from "./assembler.ts";
import { f32x4, i32, v128 } from "./instructions.ts";
import type { Lanes } from "./lanes.ts";

/** The value that changes nothing: +0, or the least or greatest there is. It stands on the left, or is a lane that got nothing. */
export function neutral(combine: Combine, type: ScalarType): number {
  if (combine === "sum") return 0;
  const least = combine === "max" || combine === "argmax";
  if (type === "float32") return least ? -Infinity : Infinity;
  return least ? -(2 ** 31) : 2 ** 31 - 1;
}

/** a, then b, combined as NUMERICS.md says; `a` is a local, since max and min look at it more than once. */
export function combined(
  fn: FunctionBuilder,
  lanes: Lanes,
  combine: "sum" | "max" | "min",
  type: ScalarType,
  a: Local,
  b: Code,
): Code {
  if (combine === "sum") return lanes.binary("add", type, a.get, b);
  const other = fn.local(lanes.valueType(type));
  const first = a.get;
  const second = other.tee(b as never);
  const wins = lanes.compare(combine === "max" ? "ge" : "le", type, a.get, other.get);
  const unordered = type === "float32" ? lanes.compare("ne", type, a.get, a.get) : null;
  return lanes.select(type, unordered ? lanes.binary("or", "bool", wins, unordered) : wins, first, second);
}

/**
 * The greatest or least of many vectors, for results in which any NaN shows: an instruction takes the value, and NaN is looked for beside
 * it, which makes the chain from one value to the next short.
 */
export class Extreme {
  readonly #take: typeof f32x4.pmax;
  readonly #value: Local<"v128">;
  readonly #unordered: Local<"v128">;

  constructor(fn: FunctionBuilder, combine: "max" | "min") {
    this.#take = combine === "max" ? f32x4.pmax : f32x4.pmin;
    this.#value = fn.local("v128");
    this.#unordered = fn.local("v128");
  }

  /** Code to run first. */
  get start(): Code {
    return this.#unordered.set(v128.const(0, 0, 0, 0));
  }

  /** A value joins what `into` holds, which is never NaN: an equal one stays out, and so does NaN. */
  take(into: Local<"v128">, value: Code<"v128">): Code {
    const other = this.#value;
    return sequence(
      other.set(value),
      into.set(this.#take(into.get, other.get)),
      this.#unordered.set(v128.or(this.#unordered.get, f32x4.ne(other.get, other.get))),
    );
  }

  /** Makes lanes of `into` NaN if any value in them was. */
  finish(into: Local<"v128">): Code {
    return into.set(v128.or(into.get, this.#unordered.get));
  }
}

/** The best value so far and its index; NaN wins, the first of equals stays. */
export class Champion {
  readonly #lanes: Lanes;
  readonly #type: ScalarType;
  readonly #combine: Combine;
  readonly #best: Local;
  readonly #index: Local;
  readonly #value: Local;
  readonly #wins: Local;

  constructor(fn: FunctionBuilder, lanes: Lanes, combine: Combine, type: ScalarType) {
    this.#lanes = lanes;
    this.#type = type;
    this.#combine = combine;
    this.#best = fn.local(lanes.valueType(type));
    this.#index = fn.local(lanes.valueType("int32"));
    this.#value = fn.local(lanes.valueType(type));
    this.#wins = fn.local(lanes.valueType("bool"));
  }

  /** A value joins; it is the first when its index is 0. */
  join(value: Code, index: Local<"i32">): Code[] {
    const lanes = this.#lanes;
    const type = this.#type;
    const put = (local: Local, code: Code) => local.set(code as never);
    const better = lanes.compare(this.#combine === "argmax" ? "gt" : "lt", type, this.#value.get, this.#best.get);
    const first = lanes.condition(i32.eqz(index.get));
    const or = (a: Code, b: Code) => lanes.binary("or", "bool", a, b);
    const newNaN =
      type === "float32"
        ? lanes.binary(
            "and",
            "bool",
            lanes.compare("ne", type, this.#value.get, this.#value.get),
            lanes.compare("eq", type, this.#best.get, this.#best.get),
          )
        : null;
    return [
      put(this.#value, value),
      put(this.#wins, or(newNaN ? or(better, newNaN) : better, first)),
      put(this.#best, lanes.select(type, this.#wins.get, this.#value.get, this.#best.get)),
      put(this.#index, lanes.select("int32", this.#wins.get, lanes.ramp(index.get, 0), this.#index.get)),
    ];
  }

  get index(): Code {
    return this.#index.get;
  }
}
