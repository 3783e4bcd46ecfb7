// The one shader that computes any loop kernel, from its description as words: slow, exact, and compiled once. It computes what a kernel's own shader left
// in doubt: outputs that it finds in a list.
import { blockSize, chunkSize, laneCount } from "../../../kernels/kernel.ts";
import { groupSize } from "../../schedule/grid.ts";
import { arithmetic, arithmeticNames } from "./arithmetic.ts";
import { stream } from "./stream.ts";

/** Values that an expression may have at one time, and axes of a nest. */
export const registers = 128;
export const mostAxes = 12;
/** Words of a dispatch that it reads. */
export const interpreterWords = 64;
/** Workgroups: each invocation takes outputs until there are none left. */
export const interpreterGroups = 32;

/** Operations by number; what each does with the values a, b and c, of which floats are bits, and bools 0 and 1. */
export const operations: readonly (readonly [name: string, text: string])[] = [
  ["float32 add", "fadd(a, b)"],
  ["float32 mul", "fmul(a, b)"],
  ["float32 div", "fdiv(a, b)"],
  ["float32 sqrt", "fsqrt(a)"],
  ["float32 floor", "ffloor(a)"],
  ["float32 neg", "a ^ 0x80000000u"],
  ["float32 abs", "a & 0x7fffffffu"],
  ["float32 lt", "u32(flt(a, b))"],
  ["float32 le", "u32(fle(a, b))"],
  ["float32 eq", "u32(feq(a, b))"],
  ["float32 ne", "u32(!feq(a, b))"],
  ["float32 pow2", "fpow2(a)"],
  ["float32 exponent", "fexponent(a)"],
  ["float32 bfloat16", "fbfloat16(a)"],
  ["float32 float16", "ffloat16(a)"],
  ["float32 toInt32", "bitcast<u32>(f_to_i32(a))"],
  ["int32 toFloat32", "f_from_i32(bitcast<i32>(a))"],
  ["bool toFloat32", "a * 0x3f800000u"],
  ["toInt32", "a"],
  ["toUint32", "a"],
  ["uint32 high16", "f_from_i32(bitcast<i32>(a >> 16u))"],
  ["uint32 low16", "f_from_i32(bitcast<i32>(a & 0xffffu))"],
  // Before those of int32, which are uint32's where it has none.
  ["uint32 div", "select(a / select(b, 1u, b == 0u), 0u, b == 0u)"],
  ["uint32 shr", "a >> (b & 31u)"],
  ["int32 add", "a + b"],
  ["int32 sub", "a - b"],
  ["int32 mul", "a * b"],
  ["int32 div", "select(bitcast<u32>(bitcast<i32>(a) / select(bitcast<i32>(b), 1, b == 0u)), 0u, b == 0u)"],
  ["int32 neg", "0u - a"],
  ["int32 abs", "select(a, 0u - a, bitcast<i32>(a) < 0)"],
  ["int32 shl", "a << (b & 31u)"],
  ["int32 shr", "bitcast<u32>(bitcast<i32>(a) >> (b & 31u))"],
  ["and", "a & b"],
  ["or", "a | b"],
  ["xor", "a ^ b"],
  ["not", "a ^ 1u"],
  ["int32 lt", "u32(bitcast<i32>(a) < bitcast<i32>(b))"],
  ["int32 le", "u32(bitcast<i32>(a) <= bitcast<i32>(b))"],
  ["uint32 lt", "u32(a < b)"],
  ["uint32 le", "u32(a <= b)"],
  ["eq", "u32(a == b)"],
  ["ne", "u32(a != b)"],
  ["select", "select(c, b, a != 0u)"],
];

/** Where the parts of a description stand: its first words, in this order. */
export const header = [
  "mode",
  "combine",
  "isFloat",
  "neutral",
  "count",
  "axes",
  "outer",
  "inputs",
  "operations",
  "result",
  "target",
  "isGuarded",
  "list",
  "size",
] as const;
export const modes = ["map", "lanes", "chunks", "argument"] as const;
/** Of an input, before a stride and bounds for each axis: what it is, the word that says where it lies, how far on it begins, the input that is its index, and that one's stride and extent. */
export const inputWords = 6;
export const inputKinds = ["element", "coordinate", "word", "never"] as const;
export const combines = ["sum", "prod", "max", "min", "argmax", "argmin"] as const;

const field = (name: (typeof header)[number]) => `heap[program + ${header.indexOf(name)}u]`;

/** The source. The words of a dispatch: 0, the list's length in `status`, where the program lies, where scratch memory, how many outputs to compute at most, then those that the program names. */
export function interpreterSource(): string {
  return `
@group(0) @binding(0) var<storage, read_write> heap: array<u32>;
@group(0) @binding(1) var<uniform> run: array<vec4<u32>, ${interpreterWords / 4}>;
@group(0) @binding(2) var<storage, read_write> status: array<atomic<u32>>;
fn hidden_zero() -> u32 { return run[0].x; }
fn word_of(i: u32) -> u32 { return run[i >> 2u][i & 3u]; }
${arithmetic(arithmeticNames.filter((name) => name !== "fsub"))}
${stream(["word_at"])}
var<private> program: u32;
var<private> values: array<u32, ${registers}>;
var<private> names: array<u32, ${mostAxes}>;

fn read(input: u32) -> u32 {
  let axes = ${field("axes")};
  let at = program + ${header.length}u + axes + input * (${inputWords}u + 3u * axes);
  let kind = heap[at];
  if (kind == 3u) { return 0u; }
  var element = heap[at + 2u];
  for (var axis = 0u; axis < axes; axis++) {
    let step = at + ${inputWords}u + 3u * axis;
    let name = names[axis];
    if (name < heap[step + 1u] || name >= heap[step + 2u]) { return 0u; }
    element += name * heap[step];
  }
  if (kind == 1u) { return element; }
  let slot = heap[at + 1u];
  if (kind == 2u) { return word_at(vec2<u32>(word_of(slot), word_of(slot + 1u)), element); }
  let index = heap[at + 3u];
  if (index != 0u) {
    let number = values[index - 1u];
    element += select(0u, number, number < heap[at + 5u]) * heap[at + 4u];
  }
  return heap[word_of(slot) + element];
}

// The body at the point whose coordinates are in \`names\`.
fn evaluate() -> u32 {
  let axes = ${field("axes")};
  let inputs = ${field("inputs")};
  // Indices stand behind what they are for.
  for (var i = inputs; i > 0u; i--) { values[i - 1u] = read(i - 1u); }
  var at = program + ${header.length}u + axes + (inputs + 1u) * (${inputWords}u + 3u * axes);
  for (var left = ${field("operations")}; left > 0u; left--) {
    let code = heap[at];
    let to = heap[at + 1u];
    if (code == ${operations.length}u) {
      values[to] = heap[at + 2u];
    } else {
      let a = values[heap[at + 2u]];
      let b = values[heap[at + 3u]];
      let c = values[heap[at + 4u]];
      var x = 0u;
      switch code {
${operations.map(([, text], i) => `        case ${i}u: { x = ${text}; }`).join("\n")}
        default: {}
      }
      values[to] = x;
    }
    at += 5u;
  }
  return values[${field("result")}];
}

fn is_nan(x: u32) -> bool { return (x & 0x7fffffffu) > 0x7f800000u; }

fn join(a: u32, b: u32) -> u32 {
  let combine = ${field("combine")};
  if (${field("isFloat")} == 0u) {
    let isLess = bitcast<i32>(a) < bitcast<i32>(b);
    switch combine {
      case 0u: { return a + b; }
      case 1u: { return a * b; }
      case 2u: { return select(a, b, isLess); }
      default: { return select(b, a, isLess); }
    }
  }
  switch combine {
    case 0u: { return fadd(a, b); }
    case 1u: { return fmul(a, b); }
    case 2u: { return select(b, a, fge(a, b) | is_nan(a)); }
    default: { return select(b, a, fle(a, b) | is_nan(a)); }
  }
}

fn better(x: u32, best: u32) -> bool {
  let isLargest = ${field("combine")} == 4u;
  if (${field("isFloat")} == 0u) {
    return select(bitcast<i32>(x) < bitcast<i32>(best), bitcast<i32>(x) > bitcast<i32>(best), isLargest);
  }
  return !is_nan(best) & (is_nan(x) | select(flt(x, best), fgt(x, best), isLargest));
}

// The body at an output, whose coordinates are set, and a term.
fn term_of(term: u32) -> u32 {
  let axes = ${field("axes")};
  var rest = term;
  for (var axis = axes; axis > ${field("outer")}; axis--) {
    let extent = heap[program + ${header.length - 1}u + axis];
    names[axis - 1u] = rest % extent;
    rest = rest / extent;
  }
  return evaluate();
}

// Every function stands where it is called, in all compilers that matter: so each is called as seldom as can be.
fn output_at() -> u32 {
  let mode = ${field("mode")};
  let count = ${field("count")};
  // Chunks are blocks of one lane; a map is one term, and what looks for a place takes all terms as one block.
  let lanes = select(1u, ${laneCount}u, mode == 1u);
  let width = select(select(max(count, 1u), ${chunkSize}u, mode == 2u), ${blockSize}u, mode == 1u);
  // Of the lanes, and behind them the total.
  var sums: array<u32, ${laneCount + 1}>;
  sums[${laneCount}] = ${field("neutral")};
  var place = 0u;
  for (var block = 0u; block < count; block += width) {
    for (var lane = 0u; lane < lanes; lane++) {
      var sum = ${field("neutral")};
      for (var term = block + lane; term < min(count, block + width); term += lanes) {
        let x = term_of(term);
        if (mode == 0u) { sum = x; }
        else if (mode == 3u) {
          if (term == 0u || better(x, sum)) { sum = x; place = term; }
        } else { sum = join(sum, x); }
      }
      sums[lane] = sum;
    }
    if (mode == 0u) { return sums[0]; }
    if (mode == 3u) { return place; }
    var half = lanes / 2u;
    var lane = 0u;
    for (var left = lanes; left > 0u; left--) {
      let to = select(lane, ${laneCount}u, half == 0u);
      sums[to] = join(sums[to], sums[lane + half]);
      lane++;
      if (lane == half) { half = half / 2u; lane = 0u; }
    }
  }
  return sums[${laneCount}];
}

@compute @workgroup_size(${groupSize})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  program = run[0].z;
  let length = atomicLoad(&status[run[0].y]);
  let list = run[0].w + ${field("list")};
  let most = run[1].x;
  // Where not all are computed, those from all over the list.
  let step = select(1u, length / max(most, 1u), length > most);
  for (var at = group.x * ${groupSize}u + local; at < min(length, most); at += ${interpreterGroups * groupSize}u) {
    let output = heap[list + at * step];
    let outer = ${field("outer")};
    let axes = ${field("axes")};
    var rest = output;
    for (var axis = outer; axis > 0u; axis--) {
      let extent = heap[program + ${header.length - 1}u + axis];
      names[axis - 1u] = rest % extent;
      rest = rest / extent;
    }
    let x = output_at();
    if (${field("isGuarded")} == 0u || atomicLoad(&status[0]) == 0u) {
      // What is written is the nest's last input; along the axes of a fold it stays.
      let place = program + ${header.length}u + axes + ${field("target")} * (${inputWords}u + 3u * axes);
      var to = word_of(heap[place + 1u]) + heap[place + 2u];
      for (var axis = 0u; axis < outer; axis++) { to += names[axis] * heap[place + ${inputWords}u + 3u * axis]; }
      heap[to] = x;
    }
  }
}`;
}
