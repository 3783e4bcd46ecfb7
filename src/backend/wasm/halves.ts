// 16-bit floats in memory: read, they are float32; written, a float32 that is a number of the format (or NaN, which stays one) keeps all it
// has. So both ways are exact. Written once over the few operations on words that four lanes and one have in common.

import type { ScalarType } from "../../../kernels/expr.ts";
import type { Stored } from "../../../kernels/kernel.ts";
import type { NarrowFormat } from "../../../kernels/math/narrow.ts";
import { after, type Code, type FunctionBuilder, sequence } from "./assembler.ts";
import { f32, f32x4, i32, i32x4, select, v128 } from "./instructions.ts";
import type { Four, Held, Lanes } from "./lanes.ts";

/** Operations on 32-bit words and the floats of the same bits, for lanes that are `T`s, and floats `F`s. */
interface Words<T extends Code, F extends Code> {
  constant(word: number): T;
  and(a: T, b: T): T;
  or(a: T, b: T): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  shl(word: T, count: number): T;
  shrU(word: T, count: number): T;
  /** `yes` where a < b as int32, else `no`. */
  below(a: T, b: T, yes: T, no: T): T;
  /** The word where x is NaN, else 0. */
  ifNaN(x: F, word: T): T;
  float(word: T): F;
  bits(x: F): T;
  /** An int32 as a float. */
  convert(word: T): F;
  plus(x: F, y: number): F;
  times(x: F, y: number): F;
}

type V = Code<"v128">;
type I = Code<"i32">;
const floats = (y: number): V => f32x4.splat(f32.const(y));

const wide: Words<V, V> = {
  constant: (word) => v128.const(word, word, word, word),
  and: v128.and,
  or: v128.or,
  add: i32x4.add,
  sub: i32x4.sub,
  shl: i32x4.shl,
  shrU: i32x4.shrU,
  below: (a, b, yes, no) => v128.bitselect(yes, no, i32x4.ltS(a, b)),
  ifNaN: (x, word) => v128.and(f32x4.ne(x, x), word),
  float: (word) => word,
  bits: (x) => x,
  convert: f32x4.convertI32x4S,
  plus: (x, y) => f32x4.add(x, floats(y)),
  times: (x, y) => f32x4.mul(x, floats(y)),
};

const single: Words<I, Code<"f32">> = {
  constant: i32.const,
  and: i32.and,
  or: i32.or,
  add: i32.add,
  sub: i32.sub,
  shl: (word, count) => i32.shl(word, i32.const(count)),
  shrU: (word, count) => i32.shrU(word, i32.const(count)),
  below: (a, b, yes, no) => select(yes, no, i32.ltS(a, b)),
  ifNaN: (x, word) => select(word, i32.const(0), f32.ne(x, x)),
  float: f32.reinterpretI32,
  bits: i32.reinterpretF32,
  convert: f32.convertI32S,
  plus: (x, y) => f32.add(x, f32.const(y)),
  times: (x, y) => f32.mul(x, f32.const(y)),
};

const wordsOf = (lanes: Lanes) => (lanes.width === 1 ? single : wide) as Words<Code, Code>;

/** Between the biases of the exponents, 127 and 15, in a float32's bits. */
const rebias = 112 << 23;

/** The float32 that the format's bits, in the low half of a word, stand for. */
function widen(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, half: Code): Code {
  const { constant, and, or, add, shl, below, float, bits, convert, times } = wordsOf(lanes);
  if (format === "bfloat16") return float(shl(half, 16));
  const [word, setWord] = fn.hold(half as Code<"i32">);
  const [rest, setRest] = fn.hold(and(word.get, constant(0x7fff)) as Code<"i32">);
  // No float32 operation meets a subnormal here: those are slow on some processors. Subnormal ones are their bits times 2⁻²⁴, and the largest exponent
  // stays the largest.
  const small = bits(times(convert(rest.get), 2 ** -24));
  const shift = below(constant(0x7bff), rest.get, constant(2 * rebias), constant(rebias));
  const magnitude = below(rest.get, constant(0x400), small, add(shl(rest.get, 13), shift));
  const sign = shl(and(word.get, constant(0x8000)), 16);
  return after(sequence(setWord, setRest), float(or(magnitude, sign)));
}

/** The format's bits of a float32 that is one of its numbers, in the low half of a word. */
function narrow(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, value: Code): Code {
  const { constant, and, or, sub, shrU, below, ifNaN, float, bits, plus } = wordsOf(lanes);
  const [x, setX] = fn.hold(value as Code<"f32">);
  // A NaN whose upper bits alone would be ∞ gets one more.
  if (format === "bfloat16") return after(setX, or(shrU(bits(x.get), 16), ifNaN(x.get, constant(0x40))));
  const [word, setWord] = fn.hold(and(bits(x.get), constant(0x7fffffff)) as Code<"i32">);
  // Added to ½ a subnormal one leaves how many times 2⁻²⁴ it is in the last bits.
  const small = sub(bits(plus(float(word.get), 0.5)), constant(0x3f000000));
  const normal = sub(shrU(word.get, 13), constant(rebias >>> 13));
  const large = below(word.get, constant(0x47800000), normal, constant(0x7c00));
  const magnitude = below(word.get, constant(0x38800000), small, large);
  const sign = and(shrU(bits(x.get), 16), constant(0x8000));
  const marked = or(or(magnitude, sign), ifNaN(x.get, constant(0x200)));
  return after(sequence(setX, setWord), marked);
}

/** A type and how it is kept. */
export interface Element {
  readonly type: ScalarType;
  readonly storage?: Stored["storage"];
}

/** The elements of an input or an output in memory, for a function's code. */
export class Elements {
  readonly #fn: FunctionBuilder;
  readonly #lanes: Lanes;
  readonly #held: Held;
  readonly #storage: NarrowFormat | undefined;

  constructor(fn: FunctionBuilder, lanes: Lanes, { type, storage }: Element) {
    this.#fn = fn;
    this.#lanes = lanes;
    this.#held = storage ? "half" : type;
    this.#storage = storage;
  }

  /** As the lanes' own. */
  load(address: Code<"i32">, offset = 0): Code {
    return this.#widened(this.#lanes.load(this.#held, address, offset));
  }

  /** As the lanes' own. */
  splat(address: Code<"i32">): Code {
    return this.#widened(this.#lanes.splat(this.#held, address));
  }

  /** As the lanes' own. */
  spread(address: Code<"i32">, distances: Four): Code {
    return this.#widened(this.#lanes.spread(this.#held, address, distances));
  }

  /** As the lanes' own. */
  store(address: Code<"i32">, value: Code, offset = 0): Code<"none"> {
    const kept = this.#storage ? narrow(this.#fn, this.#lanes, this.#storage, value) : value;
    return this.#lanes.store(this.#held, address, kept, offset);
  }

  #widened(read: Code): Code {
    return this.#storage ? widen(this.#fn, this.#lanes, this.#storage, read) : read;
  }
}
