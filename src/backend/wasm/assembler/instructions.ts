// WebAssembly's instructions as functions: operands in, code out, named as in the text format in camel case. Loads and stores take a
// byte offset last. Of relaxed SIMD only what gives the same everywhere, as it is used, is here.
import { unsigned } from "./bytes.ts";
import { type Code, codeOf, type Integer, instruction, type Operand, type ValueType } from "./code.ts";

type Binary<T extends ValueType, R extends ValueType = T> = (a: Operand<T>, b: Operand<T>) => Code<R>;
type Unary<T extends ValueType, R extends ValueType = T> = (x: Operand<T>) => Code<R>;
type Load<R extends ValueType> = (address: Integer, offset?: number) => Code<R>;
type Store<T extends ValueType> = (address: Integer, value: Operand<T>, offset?: number) => Code<"none">;

const binary =
  <T extends ValueType, R extends ValueType>(type: R, ...bytes: number[]): Binary<T, R> =>
  (a, b) =>
    instruction(type, [a, b], bytes);
const unary =
  <T extends ValueType, R extends ValueType>(type: R, ...bytes: number[]): Unary<T, R> =>
  (x) =>
    instruction(type, [x], bytes);
// Memory accesses claim alignment of one byte where the address may be odd; it is a hint that no engine here uses.
const load =
  <R extends ValueType>(type: R, opcode: readonly number[], align: number): Load<R> =>
  (address, offset = 0) =>
    instruction(type, [address], [...opcode, align, ...unsigned(offset)]);
const store =
  <T extends ValueType>(opcode: readonly number[], align: number): Store<T> =>
  (address, value, offset = 0) =>
    instruction("none", [address, value], [...opcode, align, ...unsigned(offset)]);
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];
const vector = (opcode: number) => binary<"v128", "v128">("v128", ...simd(opcode));
const vectorUnary = (opcode: number) => unary<"v128", "v128">("v128", ...simd(opcode));
const ternary =
  (opcode: number) =>
  (yes: Code<"v128">, no: Code<"v128">, mask: Code<"v128">): Code<"v128"> =>
    instruction("v128", [yes, no, mask], simd(opcode));
const shift =
  (opcode: number) =>
  (x: Code<"v128">, count: number): Code<"v128"> =>
    instruction("v128", [x, count], simd(opcode));

/** Instructions whose opcodes follow one another. */
const inOrder = <F, N extends string>(first: number, make: (opcode: number) => F, ...names: readonly N[]) =>
  Object.fromEntries(names.map((name, i) => [name, make(first + i)])) as Record<N, F>;
const integers = (opcode: number) => binary<"i32", "i32">("i32", opcode);
const longs = (opcode: number) => binary<"i64", "i64">("i64", opcode);
const floats = (opcode: number) => binary<"f32", "f32">("f32", opcode);
const comparisons = ["eq", "ne", "ltS", "ltU", "gtS", "gtU", "leS", "leU", "geS", "geU"] as const;
const floatComparisons = ["eq", "ne", "lt", "gt", "le", "ge"] as const;

const word = new DataView(new ArrayBuffer(8));
const bytesOf = (length: number) => Array.from({ length }, (_, i) => word.getUint8(i));
function floatBytes(value: number): number[] {
  word.setFloat32(0, value, true);
  return bytesOf(4);
}

export const i32 = {
  const: (value: number): Code<"i32"> => codeOf(value),
  eqz: unary<"i32", "i32">("i32", 0x45),
  ...inOrder(0x46, integers, ...comparisons),
  ...inOrder(0x6a, integers, "add", "sub", "mul", "divS", "divU"),
  ...inOrder(0x71, integers, "and", "or", "xor", "shl", "shrS", "shrU"),
  rotr: binary<"i32", "i32">("i32", 0x78),
  wrapI64: unary<"i64", "i32">("i32", 0xa7),
  reinterpretF32: unary<"f32", "i32">("i32", 0xbc),
  truncSatF32S: unary<"f32", "i32">("i32", 0xfc, 0x00),
  load: load("i32", [0x28], 2),
  load8U: load("i32", [0x2d], 0),
  load16S: load("i32", [0x2e], 1),
  store: store<"i32">([0x36], 2),
  store8: store<"i32">([0x3a], 0),
  store16: store<"i32">([0x3b], 1),
};

export const i64 = {
  ne: binary<"i64", "i32">("i32", 0x52),
  ltS: binary<"i64", "i32">("i32", 0x53),
  add: binary<"i64", "i64">("i64", 0x7c),
  mul: binary<"i64", "i64">("i64", 0x7e),
  divU: binary<"i64", "i64">("i64", 0x80),
  ...inOrder(0x83, longs, "and", "or", "xor", "shl"),
  shrU: binary<"i64", "i64">("i64", 0x88),
  extendI32U: unary<"i32", "i64">("i64", 0xad),
  load: load("i64", [0x29], 3),
  store: store<"i64">([0x37], 3),
};

export const f32 = {
  const: (value: number): Code<"f32"> => instruction("f32", [], [0x43, ...floatBytes(value)]),
  ...inOrder(0x5b, (opcode) => binary<"f32", "i32">("i32", opcode), ...floatComparisons),
  abs: unary<"f32", "f32">("f32", 0x8b),
  neg: unary<"f32", "f32">("f32", 0x8c),
  floor: unary<"f32", "f32">("f32", 0x8e),
  sqrt: unary<"f32", "f32">("f32", 0x91),
  ...inOrder(0x92, floats, "add", "sub", "mul", "div"),
  ...inOrder(0xb2, (opcode) => unary<"i32", "f32">("f32", opcode), "convertI32S", "convertI32U"),
  reinterpretI32: unary<"i32", "f32">("f32", 0xbe),
  load: load("f32", [0x2a], 2),
  store: store<"f32">([0x38], 2),
};

/** yes where the condition isn't 0; both are computed. */
export function select(yes: Integer, no: Integer, condition: Integer): Code<"i32">;
export function select<T extends ValueType>(yes: Code<T>, no: Code<T>, condition: Integer): Code<T>;
export function select(yes: Operand, no: Operand, condition: Integer): Code {
  const type = typeof yes === "object" ? yes.type : "i32";
  // v128 needs the typed form.
  return instruction(type, [yes, no, condition], type === "v128" ? [0x1c, 1, 0x7b] : [0x1b]);
}

export const memory = {
  fill: (address: Integer, byte: Integer, count: Integer): Code<"none"> =>
    instruction("none", [address, byte, count], [0xfc, 11, 0]),
  copy: (to: Integer, from: Integer, count: Integer): Code<"none"> =>
    instruction("none", [to, from, count], [0xfc, 10, 0, 0]),
};

export const v128 = {
  /** Four 32-bit words, given as unsigned or signed integers. */
  const: (a: number, b: number, c: number, d: number): Code<"v128"> => {
    const bytes = [0xfd, 12];
    for (const each of [a, b, c, d]) bytes.push(each & 255, (each >> 8) & 255, (each >> 16) & 255, (each >> 24) & 255);
    return instruction("v128", [], bytes);
  },
  load: load("v128", simd(0), 2),
  store: store<"v128">(simd(11), 2),
  /** Four signed 16-bit integers, each in a lane of 32 bits. */
  load16x4S: load("v128", simd(3), 1),
  load32Splat: load("v128", simd(9), 2),
  load32Zero: load("v128", simd(92), 0),
  load32Lane: (address: Integer, x: Code<"v128">, lane: number, offset = 0): Code<"v128"> =>
    instruction("v128", [address, x], [0xfd, 86, 2, ...unsigned(offset), lane]),
  store32Lane: (address: Integer, x: Code<"v128">, lane: number, offset = 0): Code<"none"> =>
    instruction("none", [address, x], [0xfd, 90, 0, ...unsigned(offset), lane]),
  store64Lane: (address: Integer, x: Code<"v128">, lane: number, offset = 0): Code<"none"> =>
    instruction("none", [address, x], [0xfd, 91, 1, ...unsigned(offset), lane]),
  not: vectorUnary(77),
  /** andNot: a and not b. */
  ...inOrder(78, vector, "and", "andNot", "or", "xor"),
  bitselect: ternary(82),
  anyTrue: unary<"v128", "i32">("i32", ...simd(83)),
};

/** The 32-bit lanes of a and b, numbered 0 to 7, chosen in order. */
export function shuffle32(
  a: Code<"v128">,
  b: Code<"v128">,
  lanes: readonly [number, number, number, number],
): Code<"v128"> {
  return instruction("v128", [a, b], [...simd(13), ...lanes.flatMap((lane) => [0, 1, 2, 3].map((i) => 4 * lane + i))]);
}

/** What takes one lane out of a vector, and what puts one in. */
const lane = <R extends ValueType>(type: R, opcode: number) => ({
  extractLane: (x: Code<"v128">, index: number): Code<R> => instruction(type, [x], [...simd(opcode), index]),
  replaceLane: (x: Code<"v128">, index: number, value: Code<R>): Code<"v128"> =>
    instruction("v128", [x, value], [...simd(opcode + 1), index]),
});

export const i8x16 = { narrowI16x8U: vector(102) };
export const i16x8 = { narrowI32x4U: vector(134), extendLowI8x16U: vectorUnary(137) };

export const i32x4 = {
  splat: unary<"i32", "v128">("v128", ...simd(17)),
  ...lane("i32", 27),
  ...inOrder(55, vector, ...comparisons),
  ...inOrder(160, vectorUnary, "abs", "neg"),
  extendLowI16x8U: vectorUnary(169),
  ...inOrder(171, shift, "shl", "shrS", "shrU"),
  add: vector(174),
  sub: vector(177),
  mul: vector(181),
  minS: vector(182),
  maxS: vector(184),
  truncSatF32x4S: vectorUnary(248),
  /** Masks must be all ones or all zeros in each lane: of others engines make different things. */
  relaxedLaneselect: ternary(0x10b),
};

export const f32x4 = {
  splat: unary<"f32", "v128">("v128", ...simd(19)),
  ...lane("f32", 31),
  ...inOrder(65, vector, ...floatComparisons),
  floor: vectorUnary(104),
  ...inOrder(224, vectorUnary, "abs", "neg"),
  sqrt: vectorUnary(227),
  ...inOrder(228, vector, "add", "sub", "mul", "div"),
  /** a < b ? b : a. */
  pmax: vector(235),
  /** b < a ? b : a. */
  pmin: vector(234),
  ...inOrder(250, vectorUnary, "convertI32x4S", "convertI32x4U"),
};

const atomic = (opcode: number) => [0xfe, opcode];

/** Atomic access to shared memory; addresses are multiples of the size. */
export const atomics = {
  load: load("i32", atomic(0x10), 2),
  store: store<"i32">(atomic(0x17), 2),
  load64: load("i64", atomic(0x11), 3),
  add: (address: Integer, value: Integer, offset = 0): Code<"i32"> =>
    instruction("i32", [address, value], [...atomic(0x1e), 2, ...unsigned(offset)]),
  /** Stores the i64 `value` where `expected` stands; gives what stood there. */
  exchange64: (address: Integer, expected: Operand<"i64">, value: Operand<"i64">, offset = 0): Code<"i64"> =>
    instruction("i64", [address, expected, value], [...atomic(0x49), 3, ...unsigned(offset)]),
  /** Wakes up to `count` sleepers; gives how many. */
  notify: (address: Integer, count: Integer, offset = 0): Code<"i32"> =>
    instruction("i32", [address, count], [...atomic(0x00), 2, ...unsigned(offset)]),
  /** Sleeps while the word is `expected`, at most `nanoseconds` (−1: without end). */
  wait: (address: Integer, expected: Integer, nanoseconds: Operand<"i64">, offset = 0): Code<"i32"> =>
    instruction("i32", [address, expected, nanoseconds], [...atomic(0x01), 2, ...unsigned(offset)]),
};
