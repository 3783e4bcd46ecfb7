// 16-bit floats: in memory, where reading is exact, and writing a float32 that is a number of the format is, NaN staying one; and rounding to them,
// which writing does by itself. Written once over the few operations on words that four lanes and one have in common.

import type { NarrowFormat } from "../../../core/dtype.ts";
import type { FunctionBuilder, Value } from "../assembler/assembler.ts";
import type { LaneBinary, Lanes } from "./lanes.ts";

/** Operations on int32 words and the floats of the same bits. */
function wordsOf(lanes: Lanes) {
  const word = (op: LaneBinary) => (a: Value, b: Value) => lanes.binary(op, "int32", a, b);
  const float = (op: LaneBinary) => (a: Value, b: Value) => lanes.binary(op, "float32", a, b);
  const constant = (each: number) => lanes.constant("int32", each);
  const where = (condition: Value, number: number) => lanes.keep("int32", condition, constant(number), true);
  return {
    constant,
    ...{ and: word("and"), or: word("or"), add: word("add"), sub: word("sub") },
    shl: (each: Value, count: number) => lanes.shift("shl", each, count),
    shrU: (each: Value, count: number) => lanes.shift("shrU", each, count),
    atLeast: (each: Value, least: number) => lanes.bound("maxS", each, least),
    atMost: (each: Value, most: number) => lanes.bound("minS", each, most),
    /** The number where a < b, else 0. */
    below: (a: Value, b: Value, number: number) => where(lanes.compare("lt", "int32", a, b), number),
    /** The number where x is NaN, else 0. */
    ifNaN: (x: Value, number: number) => where(lanes.compare("ne", "float32", x, x), number),
    float: (each: Value) => lanes.reinterpret("float32", each),
    bits: (x: Value) => lanes.reinterpret("int32", x),
    ...{ plus: float("add"), minus: float("sub") },
  };
}

// Of float16 as float32 bits: what lies between the biases of the exponents, 127 and 15; 2⁻¹⁴, the least normal one; and 2¹⁶, which is ∞. No float32
// operation meets a subnormal float32, which are slow on some processors: m·2⁻²⁴ comes from 2⁻¹⁴ + m·2⁻²⁴, whose fraction is m.
const rebias = 112 << 23;
const leastNormal = 113 << 23;
const beyond = 143 << 23;
const infinity = 0xff << 23;

/** The float32 that the format's bits, in the low half of a word, stand for. */
export function widen(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, half: Value): Value {
  const { constant, and, or, add, shl, atLeast, below, float, bits, minus } = wordsOf(lanes);
  if (format === "bfloat16") return float(shl(half, 16));
  return fn.value(() => {
    const word = fn.let(half);
    const rest = fn.let(and(shl(word, 13), constant(0x7fff << 13)));
    const added = fn.let(below(rest, constant(1 << 23), leastNormal));
    // The largest exponent stays the largest.
    const top = below(constant((31 << 23) - 1), rest, rebias);
    const normal = add(add(rest, top), atLeast(added, rebias));
    const magnitude = bits(minus(float(normal), float(added)));
    return float(or(magnitude, and(word, constant(1 << 31))));
  });
}

/** |x| as a sum that is rounded to float16's last place: `large` is a power of two whose last place that is, 2¹³ times x's own or 2⁻¹⁴, `base`. */
function atLastPlace(fn: FunctionBuilder, lanes: Lanes, x: Value) {
  const { constant, and, add, atLeast, atMost, float, bits, plus } = wordsOf(lanes);
  const all = fn.let(and(bits(x), constant(0x7fffffff)));
  const size = fn.let(atMost(all, beyond));
  const base = fn.let(and(atLeast(size, leastNormal), constant(infinity)));
  const large = fn.let(add(base, constant(13 << 23)));
  return { base, large, sum: plus(float(size), float(large)) };
}

/** The bits, in the low half of a word, of the format's number nearest to a float32, ties to even. */
export function narrow(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, value: Value): Value {
  const { constant, and, or, add, sub, shrU, ifNaN, bits } = wordsOf(lanes);
  return fn.value(() => {
    const x = fn.let(value);
    if (format === "bfloat16") {
      // Half a unit more, less one where what is kept is even; ∞ follows on the largest.
      const word = fn.let(bits(x));
      const half = add(and(shrU(word, 16), constant(1)), constant(0x7fff));
      return or(shrU(add(word, half), 16), ifNaN(x, 0x7fc0));
    }
    const { base, large, sum } = atLastPlace(fn, lanes, x);
    // How many last places it is, and how far up its binade is.
    const magnitude = add(sub(bits(sum), large), sub(shrU(base, 13), constant(leastNormal >>> 13)));
    const sign = and(shrU(bits(x), 16), constant(0x8000));
    return or(or(magnitude, sign), ifNaN(x, 0x200));
  });
}

/** The format's number nearest to a float32, ties to even, as a float32. */
export function rounded(fn: FunctionBuilder, lanes: Lanes, format: NarrowFormat, value: Value): Value {
  if (format === "bfloat16") return widen(fn, lanes, format, narrow(fn, lanes, format, value));
  const { constant, and, or, below, ifNaN, float, bits, minus } = wordsOf(lanes);
  return fn.value(() => {
    const x = fn.let(value);
    const { large, sum } = atLastPlace(fn, lanes, x);
    const magnitude = fn.let(bits(minus(sum, float(large))));
    const infinite = below(constant(beyond - 1), magnitude, infinity);
    const sign = or(and(bits(x), constant(1 << 31)), ifNaN(x, infinity + (1 << 22)));
    return float(or(or(magnitude, infinite), sign));
  });
}
