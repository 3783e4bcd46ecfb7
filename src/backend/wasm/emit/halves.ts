// 16-bit floats: in memory, where reading is exact, and writing a float32 that is a number of the format is, NaN staying one; and rounding to them,
// which writing does by itself. Written once over the few operations on words that four lanes and one have in common.

import type { NarrowFormat } from "../../../core/dtype.ts";
import type { Element } from "../../../schedule/nest.ts";
import { after, type Code, type FunctionBuilder, sequence } from "../assembler/assembler.ts";
import type { Four, Held, LaneBinary, Lanes } from "./lanes.ts";

/** Operations on int32 words and the floats of the same bits. */
function wordsOf(lanes: Lanes) {
  const word = (op: LaneBinary) => (a: Code, b: Code) => lanes.binary(op, "int32", a, b);
  const float = (op: LaneBinary) => (a: Code, b: Code) => lanes.binary(op, "float32", a, b);
  const constant = (each: number) => lanes.constant("int32", each);
  const where = (condition: Code, number: number) => lanes.keep("int32", condition, constant(number), true);
  return {
    constant,
    ...{ and: word("and"), or: word("or"), add: word("add"), sub: word("sub") },
    shl: (each: Code, count: number) => lanes.shift("shl", each, count),
    shrU: (each: Code, count: number) => lanes.shift("shrU", each, count),
    atLeast: (each: Code, least: number) => lanes.bound("maxS", each, least),
    atMost: (each: Code, most: number) => lanes.bound("minS", each, most),
    /** The number where a < b, else 0. */
    below: (a: Code, b: Code, number: number) => where(lanes.compare("lt", "int32", a, b), number),
    /** The number where x is NaN, else 0. */
    ifNaN: (x: Code, number: number) => where(lanes.compare("ne", "float32", x, x), number),
    float: (each: Code) => lanes.reinterpret("float32", each),
    bits: (x: Code) => lanes.reinterpret("int32", x),
    ...{ plus: float("add"), minus: float("sub") },
  };
}

// Of float16 as float32 bits: what lies between the biases of the exponents, 127 and 15; 2⁻¹⁴, the least normal one; and 2¹⁶, which is ∞. No float32
// operation meets a subnormal float32, which are slow on some processors: m·2⁻²⁴ comes from 2⁻¹⁴ + m·2⁻²⁴, whose fraction is m.
const rebias = 112 << 23;
const leastNormal = 113 << 23;
const beyond = 143 << 23;
const infinity = 0xff << 23;

const hold = (fn: FunctionBuilder, code: Code) => fn.hold(code as Code<"i32">);

/** The float32 that the format's bits, in the low half of a word, stand for. */
function widen(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, half: Code): Code {
  const { constant, and, or, add, shl, atLeast, below, float, bits, minus } = wordsOf(lanes);
  if (format === "bfloat16") return float(shl(half, 16));
  const [word, setWord] = hold(fn, half);
  const [rest, setRest] = hold(fn, and(shl(word.get, 13), constant(0x7fff << 13)));
  const [added, setAdded] = hold(fn, below(rest.get, constant(1 << 23), leastNormal));
  // The largest exponent stays the largest.
  const top = below(constant((31 << 23) - 1), rest.get, rebias);
  const normal = add(add(rest.get, top), atLeast(added.get, rebias));
  const magnitude = bits(minus(float(normal), float(added.get)));
  const value = float(or(magnitude, and(word.get, constant(1 << 31))));
  return after(sequence(setWord, setRest, setAdded), value);
}

/** |x| as a sum that is rounded to float16's last place: `large` is a power of two whose last place that is, 2¹³ times x's own or 2⁻¹⁴, `base`. */
function atLastPlace(fn: FunctionBuilder, lanes: Lanes, x: Code) {
  const { constant, and, add, atLeast, atMost, float, bits, plus } = wordsOf(lanes);
  const [all, setAll] = hold(fn, and(bits(x), constant(0x7fffffff)));
  const [size, setSize] = hold(fn, atMost(all.get, beyond));
  const [base, setBase] = hold(fn, and(atLeast(size.get, leastNormal), constant(infinity)));
  const [large, setLarge] = hold(fn, add(base.get, constant(13 << 23)));
  const sum = plus(float(size.get), float(large.get));
  return { set: sequence(setAll, setSize, setBase, setLarge), base: base.get, large: large.get, sum };
}

/** The bits, in the low half of a word, of the format's number nearest to a float32, ties to even. */
function narrow(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, value: Code): Code {
  const { constant, and, or, add, sub, shrU, ifNaN, bits } = wordsOf(lanes);
  const [x, setX] = hold(fn, value);
  if (format === "bfloat16") {
    // Half a unit more, less one where what is kept is even; ∞ follows on the largest.
    const [word, setWord] = hold(fn, bits(x.get));
    const half = add(and(shrU(word.get, 16), constant(1)), constant(0x7fff));
    return after(sequence(setX, setWord), or(shrU(add(word.get, half), 16), ifNaN(x.get, 0x7fc0)));
  }
  const { set, base, large, sum } = atLastPlace(fn, lanes, x.get);
  // How many last places it is, and how far up its binade is.
  const magnitude = add(sub(bits(sum), large), sub(shrU(base, 13), constant(leastNormal >>> 13)));
  const sign = and(shrU(bits(x.get), 16), constant(0x8000));
  return after(sequence(setX, set), or(or(magnitude, sign), ifNaN(x.get, 0x200)));
}

/** The format's number nearest to a float32, ties to even, as a float32. */
export function rounded(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, value: Code): Code {
  if (format === "bfloat16") return widen(fn, lanes, format, narrow(fn, lanes, format, value));
  const { constant, and, or, below, ifNaN, float, bits, minus } = wordsOf(lanes);
  const [x, setX] = hold(fn, value);
  const { set, large, sum } = atLastPlace(fn, lanes, x.get);
  const [magnitude, setMagnitude] = hold(fn, bits(minus(sum, float(large))));
  const infinite = below(constant(beyond - 1), magnitude.get, infinity);
  const sign = or(and(bits(x.get), constant(1 << 31)), ifNaN(x.get, infinity + (1 << 22)));
  return after(sequence(setX, set, setMagnitude), float(or(or(magnitude.get, infinite), sign)));
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
  splat(address: Code<"i32">, offset = 0): Code {
    return this.#widened(this.#lanes.splat(this.#held, address, offset));
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
