// What a scalar expression's operations are in WebAssembly: over four elements at once (SIMD), or over one. Both give the same bits; the
// printers above are written once over this interface. SIMD conditions are masks of all ones or zeros, scalar ones are 0 or 1.
import type { BinaryOp, CompareOp, ScalarType, UnaryOp } from "../../../../kernels/expr.ts";
import type { NarrowFormat } from "../../../core/dtype.ts";
import {
  type Code,
  f32,
  f32x4,
  i8x16,
  i16x8,
  i32,
  i32x4,
  select,
  shuffle32,
  type Value,
  type ValueType,
  v128,
} from "../assembler/assembler.ts";

type Address = Code<"i32">;

/** What memory holds: elements of a type, or halves, the bits of a 16-bit float: an int32 when read, and the low half of a word when written. */
export type Held = ScalarType | "half";

/** One number a lane. */
export type Four = readonly [number, number, number, number];
/** The distances of elements `step` apart. */
export const evenly = (step: number, from = 0): Four => [from, from + step, from + 2 * step, from + 3 * step];

/** Operations that are an instruction or two; operation.ts makes the others of them. */
export type LaneUnary = Exclude<UnaryOp, NarrowFormat | "pow2" | "exponent" | "high16" | "low16" | "toUint32">;
export type LaneBinary = Exclude<BinaryOp, "shl" | "shr">;

export interface Lanes {
  /** Elements at once. */
  readonly width: 4 | 1;
  /** What holds `width` elements of the type. */
  valueType(type: ScalarType): ValueType;
  constant(type: ScalarType, value: number): Value;
  /** `width` elements that lie one after another, `offset` bytes from the address. */
  load(type: Held, address: Address, offset: number): Value;
  /** One element, in every lane. */
  splat(type: Held, address: Address, offset?: number): Value;
  /** `width` elements at four (or the first of these) distances from the address in bytes; `address` is evaluated once a lane, so it is cheap and has no effects. */
  spread(type: Held, address: Address, distances: Four): Value;
  /** Each distance as int32, from a start on if one is given. */
  ramp(distances: Four, start?: Code<"i32">): Value;
  /** Of neighbours the last is best stored first: V8, which makes one store of two, else writes the first by itself before, since the second might trap. */
  store(type: Held, address: Address, value: Value, offset: number): Code<"none">;
  /** Of int32, abs only with SIMD. */
  unary(op: LaneUnary, from: ScalarType, x: Value): Value;
  binary(op: LaneBinary, type: ScalarType, a: Value, b: Value): Value;
  compare(op: CompareOp, type: ScalarType, a: Value, b: Value): Value;
  select(type: ScalarType, condition: Value, yes: Value, no: Value): Value;
  /** The value where the condition holds, else 0 (`kept`: the other way round). */
  keep(type: ScalarType, condition: Value, value: Value, kept: boolean): Value;
  /** 1 where the condition holds in some lane. */
  some(condition: Value): Code<"i32">;
  /** A condition that holds in every lane or in none, from 0 or 1. */
  condition(all: Code<"i32">): Value;
  /** Of int32 words: by so many places. */
  shift(op: "shl" | "shrU", word: Value, count: number): Value;
  /** The larger of an int32, which may be evaluated twice, and a number; the smaller. */
  bound(op: "maxS" | "minS", word: Value, limit: number): Value;
  /** The float32 of an int32's bits, or the other way round. */
  reinterpret(to: "float32" | "int32", x: Value): Value;
}

type F = Code<"f32">;
type I = Code<"i32">;
type V = Code<"v128">;

/** Instructions on two operands, or on one and a number. */
type Instructions = Readonly<Record<string, (a: Value, b: Value) => Value>>;

/** What is alike for any number of lanes, by the instructions that they have. */
function alike(floats: object, integers: object, words: object): Pick<Lanes, "binary" | "compare" | "shift"> {
  const [float, integer, word] = [floats, integers, words] as readonly Instructions[];
  return {
    binary(op, type, a, b) {
      if (op === "and" || op === "or" || op === "xor") return word[op](a, b);
      return (type === "float32" ? float : integer)[op](a, b);
    },
    compare(op, type, a, b) {
      if (type === "float32") return float[op](a, b);
      if (op === "eq" || op === "ne") return integer[op](a, b);
      // A vector's true lane is −1, below a false one: unsigned order is the order of false and true.
      return integer[`${op}${type === "int32" ? "S" : "U"}`](a, b);
    },
    shift: (op, value, count) => integer[op](value, count as unknown as Value),
  };
}

const zero = () => v128.const(0, 0, 0, 0);
const bits = new DataView(new ArrayBuffer(4));
function floatBits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getInt32(0);
}
/** Four lanes, WebAssembly SIMD. */
export const simdLanes: Lanes = {
  ...alike(f32x4, i32x4, v128),
  width: 4,
  valueType: () => "v128",
  constant(type, value) {
    const word = type === "float32" ? floatBits(value) : type === "bool" ? -value : value | 0;
    return v128.const(word, word, word, word);
  },
  load(type, address, offset) {
    if (type === "half") return v128.load16x4S(address, offset);
    if (type !== "bool") return v128.load(address, offset);
    const words = i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(v128.load32Zero(address, offset)));
    return i32x4.neg(words);
  },
  splat(type, address, offset = 0) {
    if (type === "half") return i32x4.splat(i32.load16S(address, offset));
    if (type !== "bool") return v128.load32Splat(address, offset);
    return i32x4.neg(i32x4.splat(i32.load8U(address, offset)));
  },
  spread(type, address, distances) {
    // No immediate offset can say that an element lies before the address.
    const at = (distance: number) => (distance >= 0 ? address : i32.add(address, distance));
    const offset = (distance: number) => Math.max(0, distance);
    const [first, ...others] = distances;
    if (type === "bool" || type === "half") {
      const one = type === "half" ? i32.load16S : i32.load8U;
      let lanes: V = i32x4.splat(one(at(first), offset(first)));
      others.forEach((each, i) => {
        lanes = i32x4.replaceLane(lanes, i + 1, one(at(each), offset(each)));
      });
      return type === "half" ? lanes : i32x4.neg(lanes);
    }
    const [lowest, highest] = [Math.min(...distances), Math.max(...distances)];
    if (highest - lowest >= 12 && highest - lowest < 32) {
      // One vector begins with the lowest, one ends with the highest: all are in these, and they reach no further.
      const [low, high] = [lowest, highest - 12].map((each) => v128.load(at(each), offset(each)));
      const lane = (each: number) => (each - lowest < 16 ? (each - lowest) / 4 : 4 + (each - highest + 12) / 4);
      return shuffle32(low, high, distances.map(lane) as unknown as Four);
    }
    let lanes: V = v128.load32Zero(at(first), offset(first));
    others.forEach((each, i) => {
      // The address comes before the vector on the stack, so the order of evaluation is the order of writing.
      lanes = v128.load32Lane(at(each), lanes, i + 1, offset(each));
    });
    return lanes;
  },
  ramp(distances, start) {
    const steps = v128.const(...distances);
    return start ? i32x4.add(i32x4.splat(start), steps) : steps;
  },
  store(type, address, value, offset) {
    if (type === "half") return v128.store64Lane(address, i16x8.narrowI32x4U(value as V, zero()), 0, offset);
    if (type !== "bool") return v128.store(address, value as V, offset);
    const words = v128.and(value as V, v128.const(1, 1, 1, 1));
    const halves = i16x8.narrowI32x4U(words, zero());
    return v128.store32Lane(address, i8x16.narrowI16x8U(halves, zero()), 0, offset);
  },
  unary(op, from, x) {
    const value = x as V;
    switch (op) {
      case "neg":
      case "abs": {
        if (from !== "float32") return i32x4[op](value);
        // Not f32x4's own, whose masks V8 makes anew each time: a constant stays in a register.
        const sign = simdLanes.constant("float32", -0) as V;
        return op === "neg" ? v128.xor(value, sign) : v128.andNot(value, sign);
      }
      case "sqrt":
      case "floor":
        return f32x4[op](value);
      case "not":
        return v128.not(value);
      case "toFloat32":
        if (from === "bool") return v128.and(value, simdLanes.constant("float32", 1) as V);
        return f32x4.convertI32x4S(value);
      case "toInt32":
        if (from === "uint32") return value;
        return from === "bool" ? i32x4.neg(value) : i32x4.truncSatF32x4S(value);
    }
  },
  select: (_, condition, yes, no) => v128.bitselect(yes as V, no as V, condition as V),
  keep: (_, condition, value, kept) =>
    kept ? v128.and(value as V, condition as V) : v128.andNot(value as V, condition as V),
  some: (condition) => v128.anyTrue(condition as V),
  condition: (all) => i32x4.splat(i32.sub(0, all)),
  bound: (op, word, limit) => i32x4[op](word as V, simdLanes.constant("int32", limit) as V),
  reinterpret: (_, x) => x,
};

/** Four lanes where pairs of vectors run as one: conditions are whole masks, by which the relaxed choice is the same everywhere, and one instruction on x64 instead of three. */
export const pairedLanes: Lanes = {
  ...simdLanes,
  select: (_, condition, yes, no) => i32x4.relaxedLaneselect(yes as V, no as V, condition as V),
};

/** One lane, without SIMD: for engines that have none, or flush subnormals in it. */
export const scalarLanes: Lanes = {
  ...alike(f32, i32, i32),
  width: 1,
  valueType: (type) => (type === "float32" ? "f32" : "i32"),
  constant: (type, value) => (type === "float32" ? f32.const(value) : i32.const(value)),
  load(type, address, offset) {
    if (type === "bool") return i32.load8U(address, offset);
    if (type === "half") return i32.load16S(address, offset);
    return type === "float32" ? f32.load(address, offset) : i32.load(address, offset);
  },
  splat: (type, address, offset = 0) => scalarLanes.load(type, address, offset),
  spread: (type, address) => scalarLanes.load(type, address, 0),
  ramp: ([first], start) => start ?? i32.const(first),
  store(type, address, value, offset) {
    if (type === "bool") return i32.store8(address, value as I, offset);
    if (type === "half") return i32.store16(address, value as I, offset);
    return type === "float32" ? f32.store(address, value as F, offset) : i32.store(address, value as I, offset);
  },
  unary(op, from, x) {
    const value = x as I;
    const float = x as F;
    switch (op) {
      case "neg":
        return from === "float32" ? f32.neg(float) : i32.sub(0, value);
      case "abs":
        return f32.abs(float);
      case "sqrt":
      case "floor":
        return f32[op](float);
      case "not":
        return i32.eqz(value);
      case "toFloat32":
        return f32.convertI32S(value);
      case "toInt32":
        return from === "bool" || from === "uint32" ? value : i32.truncSatF32S(float);
    }
  },
  select: (_, condition, yes, no) => select(yes as I, no as I, condition as I),
  keep(type, condition, value, kept) {
    const none = scalarLanes.constant(type, 0) as I;
    return kept ? select(value as I, none, condition as I) : select(none, value as I, condition as I);
  },
  some: (condition) => condition as I,
  condition: (all) => all,
  bound(op, word, limit) {
    const keeps = (op === "maxS" ? i32.gtS : i32.ltS)(word as I, limit);
    return select(word as I, limit, keeps);
  },
  reinterpret: (to, x) => (to === "float32" ? f32.reinterpretI32(x as I) : i32.reinterpretF32(x as F)),
};
