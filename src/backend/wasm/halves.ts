// 16-bit floats in memory: read, they are float32; written, a float32 that is a number of the format (or NaN, which stays one) keeps all it
// has. So both ways are exact. Written once over the few operations on words that four lanes and one have in common.

import type { ScalarType } from "../../../kernels/expr.ts";
import type { Stored } from "../../../kernels/kernel.ts";
import type { NarrowFormat } from "../../../kernels/math/narrow.ts";
import { after, type Code, type FunctionBuilder, sequence } from "./assembler.ts";
import { f32, f32x4, i32, i32x4, select, v128 } from "./instructions.ts";
import type { Four, Held, Lanes } from "./lanes.ts";

/** Operations on int32 words and the floats of the same bits, for lanes that are `T`s, and floats `F`s. */
interface Words<T extends Code, F extends Code> {
  constant(word: number): T;
  and(a: T, b: T): T;
  or(a: T, b: T): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  shl(word: T, count: number): T;
  shrU(word: T, count: number): T;
  /** The larger of a word, which is evaluated twice, and a number; the smaller. */
  atLeast(word: T, least: number): T;
  atMost(word: T, most: number): T;
  /** The number where a < b, else 0. */
  below(a: T, b: T, number: number): T;
  /** The number where x is NaN, else 0. */
  ifNaN(x: F, number: number): T;
  float(word: T): F;
  bits(x: F): T;
  plus(x: F, y: F): F;
  minus(x: F, y: F): F;
}

type V = Code<"v128">;
type I = Code<"i32">;
const four = (word: number): V => v128.const(word, word, word, word);

const wide: Words<V, V> = {
  constant: four,
  and: v128.and,
  or: v128.or,
  add: i32x4.add,
  sub: i32x4.sub,
  shl: i32x4.shl,
  shrU: i32x4.shrU,
  atLeast: (word, least) => i32x4.maxS(word, four(least)),
  atMost: (word, most) => i32x4.minS(word, four(most)),
  below: (a, b, number) => v128.and(i32x4.ltS(a, b), four(number)),
  ifNaN: (x, number) => v128.and(f32x4.ne(x, x), four(number)),
  float: (word) => word,
  bits: (x) => x,
  plus: f32x4.add,
  minus: f32x4.sub,
};

const single: Words<I, Code<"f32">> = {
  constant: i32.const,
  and: i32.and,
  or: i32.or,
  add: i32.add,
  sub: i32.sub,
  shl: (word, count) => i32.shl(word, i32.const(count)),
  shrU: (word, count) => i32.shrU(word, i32.const(count)),
  atLeast: (word, least) => select(word, i32.const(least), i32.gtS(word, i32.const(least))),
  atMost: (word, most) => select(word, i32.const(most), i32.ltS(word, i32.const(most))),
  below: (a, b, number) => select(i32.const(number), i32.const(0), i32.ltS(a, b)),
  ifNaN: (x, number) => select(i32.const(number), i32.const(0), f32.ne(x, x)),
  float: f32.reinterpretI32,
  bits: i32.reinterpretF32,
  plus: f32.add,
  minus: f32.sub,
};

const wordsOf = (lanes: Lanes) => (lanes.width === 1 ? single : wide) as Words<Code, Code>;

// Of float16 as float32 bits: what lies between the biases of the exponents, 127 and 15; and 2⁻¹⁴, the least normal one. No float32 operation meets
// a subnormal float32, which are slow on some processors: m·2⁻²⁴ comes from 2⁻¹⁴ + m·2⁻²⁴, whose fraction is m, and goes there.
const rebias = 112 << 23;
const leastNormal = 113 << 23;

/** The float32 that the format's bits, in the low half of a word, stand for. */
function widen(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, half: Code): Code {
  const { constant, and, or, add, shl, atLeast, below, float, bits, minus } = wordsOf(lanes);
  if (format === "bfloat16") return float(shl(half, 16));
  const hold = (code: Code) => fn.hold(code as Code<"i32">);
  const [word, setWord] = hold(half);
  const [rest, setRest] = hold(and(shl(word.get, 13), constant(0x7fff << 13)));
  const [added, setAdded] = hold(below(rest.get, constant(1 << 23), leastNormal));
  // The largest exponent stays the largest.
  const top = below(constant((31 << 23) - 1), rest.get, rebias);
  const normal = add(add(rest.get, top), atLeast(added.get, rebias));
  const magnitude = bits(minus(float(normal), float(added.get)));
  const value = float(or(magnitude, and(word.get, constant(1 << 31))));
  return after(sequence(setWord, setRest, setAdded), value);
}

/** The format's bits of a float32 that is one of its numbers, in the low half of a word. */
function narrow(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, value: Code): Code {
  const { constant, and, or, sub, shrU, atLeast, atMost, below, ifNaN, float, bits, plus } = wordsOf(lanes);
  const hold = (code: Code) => fn.hold(code as Code<"i32">);
  const [x, setX] = hold(value);
  // A NaN whose upper bits alone would be ∞ gets one more.
  if (format === "bfloat16") return after(setX, or(shrU(bits(x.get), 16), ifNaN(x.get, 0x40)));
  const [size, setSize] = hold(and(bits(x.get), constant(0x7fffffff)));
  const [added, setAdded] = hold(below(size.get, constant(leastNormal), leastNormal));
  const normal = sub(bits(plus(float(size.get), float(added.get))), atLeast(added.get, rebias));
  const [magnitude, setMagnitude] = hold(shrU(normal, 13));
  const sign = and(shrU(bits(x.get), 16), constant(0x8000));
  const marked = or(or(atMost(magnitude.get, 0x7c00), sign), ifNaN(x.get, 0x200));
  return after(sequence(setX, setSize, setAdded, setMagnitude), marked);
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
