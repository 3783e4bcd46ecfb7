// The elementary functions with a float64 reference each, and what runs them over a block of float32 inputs: for the exhaustive proof and
// for its sampled version in npm test.
import { alwaysComputed, type Expr, input, topological } from "../../kernels/expr.ts";
import * as math from "../../kernels/math/index.ts";
import { expressionText } from "../../kernels/text.ts";
import { float32Bits, sha256Hex } from "../../src/core/canonical.ts";
import { scalarFunction } from "../support/expr.ts";
import { testWords } from "../support/graphs.ts";

const twoOverRootPi = 1.1283791670955126;

/** erf x for 0 ≤ x < 6 by e^(−x²)·Σ 2ⁿx²ⁿ⁺¹/(2n + 1)!!: no cancellation, so full precision. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return twoOverRootPi * Math.exp(-x * x) * sum;
}

/** erfc x for x ≥ 1 by its continued fraction from the tail. */
function erfcFraction(x: number): number {
  let fraction = 0;
  for (let k = x < 2 ? 120 : 50; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / ((x + fraction) * Math.sqrt(Math.PI));
}

function erf(x: number): number {
  const a = Math.abs(x);
  if (x === 0) return x;
  if (a < 1e-4) return twoOverRootPi * (x - (x * x * x) / 3);
  const value = a > 5 ? 1 : erfSeries(a);
  return x < 0 ? -value : value;
}

function gelu(x: number): number {
  const a = Math.abs(x) * Math.SQRT1_2;
  if (x === 0) return x;
  if (x === -Infinity) return -0;
  const tail = a < 1 ? 0.5 * (1 - erf(a)) : a > 40 ? 0 : 0.5 * erfcFraction(a);
  return x < 0 ? x * tail : x - (x === Infinity ? 0 : x * tail);
}

function geluTanh(x: number): number {
  if (x === -Infinity) return -0;
  return x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
}

function erfc(x: number): number {
  if (Math.abs(x) < 1) return 1 - erf(x);
  return x > 40 ? 0 : x > 0 ? erfcFraction(x) : 1 + erf(-x);
}

/** 2ˣ by its integral part, which is exact, and the rest. */
function exp2(x: number): number {
  if (!(Math.abs(x) < 200)) return x > 0 ? Infinity : x < 0 ? 0 : x;
  const n = Math.round(x);
  return Math.exp((x - n) * Math.LN2) * 2 ** n;
}

export interface Subject {
  readonly expr: Expr;
  /** In float64, far beyond float32's precision. */
  readonly reference: (x: number) => number;
  /** The bound that is claimed, in ULP. */
  readonly bound: number;
}

const x = input(0, "float32");

export const subjects: Readonly<Record<string, Subject>> = {
  exp: { expr: math.exp(x), reference: Math.exp, bound: 1 },
  log: { expr: math.log(x), reference: Math.log, bound: 1 },
  exp2: { expr: math.exp2(x), reference: exp2, bound: 1 },
  expm1: { expr: math.expm1(x), reference: Math.expm1, bound: 1 },
  log2: { expr: math.log2(x), reference: Math.log2, bound: 1 },
  log10: { expr: math.log10(x), reference: Math.log10, bound: 1 },
  log1p: { expr: math.log1p(x), reference: Math.log1p, bound: 1 },
  rsqrt: { expr: math.rsqrt(x), reference: (v) => 1 / Math.sqrt(v), bound: 1 },
  tan: { expr: math.tan(x), reference: Math.tan, bound: 1 },
  asin: { expr: math.asin(x), reference: Math.asin, bound: 1 },
  acos: { expr: math.acos(x), reference: Math.acos, bound: 1 },
  atan: { expr: math.atan(x), reference: Math.atan, bound: 1 },
  sinh: { expr: math.sinh(x), reference: Math.sinh, bound: 1 },
  cosh: { expr: math.cosh(x), reference: Math.cosh, bound: 1 },
  asinh: { expr: math.asinh(x), reference: Math.asinh, bound: 1 },
  acosh: { expr: math.acosh(x), reference: Math.acosh, bound: 1 },
  atanh: { expr: math.atanh(x), reference: Math.atanh, bound: 1 },
  silu: { expr: math.silu(x), reference: (v) => (v === -Infinity ? -0 : v / (1 + Math.exp(-v))), bound: 1 },
  tanh: { expr: math.tanh(x), reference: Math.tanh, bound: 1 },
  sigmoid: {
    expr: math.sigmoid(x),
    reference: (v) => (v < 0 ? Math.exp(v) / (1 + Math.exp(v)) : 1 / (1 + Math.exp(-v))),
    bound: 1,
  },
  softplus: {
    expr: math.softplus(x),
    reference: (v) => (v > 0 ? v + Math.log1p(Math.exp(-v)) : Math.log1p(Math.exp(v))),
    bound: 1,
  },
  sin: { expr: math.sin(x), reference: Math.sin, bound: 1 },
  cos: { expr: math.cos(x), reference: Math.cos, bound: 1 },
  erf: { expr: math.erf(x), reference: erf, bound: 1 },
  erfc: { expr: math.erfc(x), reference: erfc, bound: 1 },
  gelu: { expr: math.gelu(x), reference: gelu, bound: 1 },
  geluTanh: { expr: math.geluTanh(x), reference: geluTanh, bound: 1 },
};

/** A function of two numbers. */
export interface PairSubject {
  readonly expr: Expr;
  readonly reference: (x: number, y: number) => number;
  readonly bound: number;
}

const y = input(1, "float32");

export const pairSubjects: Readonly<Record<string, PairSubject>> = {
  pow: {
    expr: math.pow(x, y),
    // JavaScript's power of ±1 and ∞ is NaN, C's is 1.
    reference: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
    bound: 1,
  },
  atan2: { expr: math.atan2(x, y), reference: Math.atan2, bound: 1 },
  hypot: { expr: math.hypot(x, y), reference: Math.hypot, bound: 1 },
};

/** Operations of the sequence: what is neither input nor constant, nor rarely computed. */
export function operations({ expr }: { readonly expr: Expr }): number {
  return topological(expr, alwaysComputed).filter(({ kind }) => kind !== "input" && kind !== "constant").length;
}

/** What stands for the sequence itself, in 16 hex digits: the same sequence has the same results. */
export const sequenceOf = ({ expr }: { readonly expr: Expr }): string =>
  sha256Hex(new TextEncoder().encode(expressionText(expr))).slice(0, 16);

export interface BlockResult<At = number> {
  /** 64 bits over the results' bits, NaN as 0x7fc00000, in 16 hex digits. */
  readonly hash: string;
  readonly maxUlp: number;
  /** Where that is. */
  readonly at: At;
  readonly overOne: number;
  readonly misrounded: number;
  readonly inputs: number;
}

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** The last place's unit of a number, as a float32. */
export function ulpOf(exact: number): number {
  floats[0] = exact;
  const exponent = (bits[0] >>> 23) & 255;
  bits[0] = exponent <= 23 ? 1 << Math.max(0, exponent - 1) : (exponent - 23) << 23;
  return floats[0];
}

/** Results of a block, as they come. */
class Tally<At> {
  #h1 = 0x811c9dc5;
  #h2 = 0x01000193;
  #count = 0;
  #inputs = 0;
  #misrounded = 0;
  #overOne = 0;
  #maxUlp = 0;
  #at: At | undefined;

  /** The next `count` results, and how far each is from what is exact; `at` says where an index is. */
  take(results: Float32Array, count: number, exact: Float64Array, at: (i: number) => At): void {
    const words = new Uint32Array(results.buffer);
    let [h1, h2] = [this.#h1, this.#h2];
    for (let i = 0; i < count; i++) {
      const found = results[i];
      const word = found === found ? words[i] : 0x7fc00000;
      h1 = Math.imul(h1 ^ word, 0x01000193);
      h2 = Math.imul(h2 ^ (word + this.#count + i), 0x5bd1e995);
      h2 ^= h2 >>> 15;
    }
    [this.#h1, this.#h2] = [h1, h2];
    this.#count += count;
    this.#inputs += count;
    for (let i = 0; i < count; i++) {
      const rounded = Math.fround(exact[i]);
      if ((results[i] === rounded && rounded !== 0) || Object.is(results[i], rounded)) continue;
      this.#misrounded++;
      const error = errorOf(results[i], exact[i], rounded);
      if (error > 1) this.#overOne++;
      if (error > this.#maxUlp) [this.#maxUlp, this.#at] = [error, at(i)];
    }
  }

  result(none: At): BlockResult<At> {
    const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
    return {
      hash: hex(this.#h1) + hex(this.#h2),
      maxUlp: this.#maxUlp,
      at: this.#at ?? none,
      overOne: this.#overOne,
      misrounded: this.#misrounded,
      inputs: this.#inputs,
    };
  }
}

function errorOf(found: number, exact: number, rounded: number): number {
  // A NaN or a zero's sign that isn't the reference's is no matter of degree.
  if (found !== found || rounded !== rounded || (found === 0 && rounded === 0)) return Infinity;
  // Overflow: measured against the number that would come after the largest.
  const limit = 2 ** 128;
  const within = (value: number) => Math.max(-limit, Math.min(limit, value));
  return Math.abs(within(found) - within(exact)) / (Math.abs(exact) >= limit ? 2 ** 104 : ulpOf(exact));
}

export const blockCount = 512;
const blockSize = 2 ** 23;

/** Inputs that are run at a time: each pass over them is a short loop. */
const chunk = 4096;

/** Runs `count` inputs, given by their bits. */
function runBits({ expr, reference }: Subject, count: number, bitsOf: (i: number) => number): BlockResult {
  const f = scalarFunction(expr);
  const inputBits = new Uint32Array(chunk);
  const inputs = new Float32Array(inputBits.buffer);
  const [found, exact] = [new Float32Array(chunk), new Float64Array(chunk)];
  const tally = new Tally<number>();
  for (let from = 0; from < count; from += chunk) {
    const size = Math.min(chunk, count - from);
    for (let i = 0; i < size; i++) inputBits[i] = bitsOf(from + i);
    for (let i = 0; i < size; i++) found[i] = f(inputs[i]);
    for (let i = 0; i < size; i++) exact[i] = reference(inputs[i]);
    tally.take(found, size, exact, (i) => inputs[i]);
  }
  return tally.result(0);
}

/** Runs all inputs whose upper nine bits are `block`. */
export const runBlock = (subject: Subject, block: number): BlockResult =>
  runBits(subject, blockSize, (i) => block * blockSize + i);

const sampleSize = 2 ** 18;
/** 2⁻¹² and 2¹² as bits: what lies between them is mostly neither its own result nor an overflow. */
const [from, to] = [0x39800000, 0x45800000];

/** Runs inputs of every sign and exponent, some 256 of each, and as many again from 2⁻¹² to 2¹². They are spread by multiples of 2³² by the golden ratio. */
export const runSample = (subject: Subject): BlockResult =>
  runBits(subject, sampleSize, (i) => {
    const spread = Math.imul(i, 0x9e3779b1) >>> 0;
    if (i % 2 === 0) return spread;
    const sign = (i & 2) << 30;
    return (sign | (from + Math.floor((spread / 2 ** 32) * (to - from)))) >>> 0;
  });

type Pair = readonly [x: number, y: number];

/** Blocks of pairs; the last one holds each pair of the edges. */
export const pairBlockCount = 101;
const pairBlockSize = 10 ** 6;

const magnitudes = [0, 2 ** -149, 3 * 2 ** -149, 2 ** -127, 2 ** -126, 2 ** -64, 2 ** -25, 0.5, 1, 1.5, 2, 3, 127, 128];
const largeMagnitudes = [
  2 ** 23 - 0.5,
  2 ** 24 - 1,
  2 ** 24,
  2 ** 31,
  2 ** 64,
  2 ** 127,
  (2 - 2 ** -23) * 2 ** 127,
  Infinity,
];
/** Neighbours of powers of two. */
const neighbours = [2 ** -126, 0.5, 1, 2, 2 ** 24].flatMap((power) => [power * (1 - 2 ** -24), power * (1 + 2 ** -23)]);
const edges = [...magnitudes, ...largeMagnitudes, ...neighbours]
  .flatMap((edge) => [edge, -edge])
  .concat(Number.NaN)
  .map(Math.fround);

/** Runs the edges, of which a sample has few. */
export const runEdges = (subject: Subject): BlockResult => runBits(subject, edges.length, (i) => float32Bits(edges[i]));

/** A block's pairs: of any bits; of magnitudes near each other; powers that stay in float32's range, of any number and of one near 1. By exact arithmetic and roundings alone. */
function* pairsOf(block: number, count = pairBlockSize): Generator<Pair> {
  if (block === pairBlockCount - 1) {
    for (const a of edges) for (const b of edges) yield [a, b];
    return;
  }
  const next = testWords(1000 + block);
  const unit = () => next() / 2 ** 32;
  const anyBits = () => {
    bits[0] = next();
    return floats[0];
  };
  for (let i = 0; i < count; i++) {
    const a = anyBits();
    if (i % 4 === 0) yield [a, anyBits()];
    else if (i % 4 === 1) {
      const size = 2 ** (Math.floor(unit() * 60) - 30);
      yield [a, Math.fround(Math.abs(a) * size * (next() % 2 ? 1 : -1) * (0.5 + unit()))];
    } else {
      const near = Math.fround(1 + ((next() % 2 ? 1 : -0.5) * unit()) / 2 ** (next() % 24));
      const base = i % 4 === 2 ? Math.abs(a) : near;
      floats[0] = base;
      // log₂ of the base, roughly.
      const exponent = i % 4 === 2 ? (bits[0] >>> 23) - 127 || 1 : (near - 1) * 1.44 || 1;
      yield [base, Math.fround((unit() * 304 - 152) / exponent)];
    }
  }
}

/** Runs a block of pairs, or the first `count` of one. */
export function runPairBlock({ expr, reference }: PairSubject, block: number, count?: number): BlockResult<Pair> {
  const f = scalarFunction(expr);
  const tally = new Tally<Pair>();
  const pairs: Pair[] = [];
  const [found, exact] = [new Float32Array(chunk), new Float64Array(chunk)];
  const take = () => {
    for (const [i, [a, b]] of pairs.entries()) [found[i], exact[i]] = [f(a, b), reference(a, b)];
    tally.take(found, pairs.length, exact, (i) => pairs[i]);
    pairs.length = 0;
  };
  for (const pair of pairsOf(block, count)) if (pairs.push(pair) === chunk) take();
  take();
  return tally.result([0, 0]);
}

/** Runs pairs of every kind. */
export const runPairSample = (subject: PairSubject): BlockResult<Pair> => runPairBlock(subject, 0, sampleSize);
