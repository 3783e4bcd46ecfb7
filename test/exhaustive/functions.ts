// The elementary functions with a float64 reference each, and what runs them over a block of float32 inputs: for the exhaustive proof and
// for its sampled version in npm test.
import { type Expr, input, topological } from "../../kernels/expr.ts";
import * as math from "../../kernels/math/index.ts";
import { scalarFunction } from "../support/expr.ts";

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
  if (x === -Infinity) return -0;
  const tail = a < 1 ? 0.5 * (1 - erf(a)) : a > 40 ? 0 : 0.5 * erfcFraction(a);
  return x < 0 ? x * tail : x - (x === Infinity ? 0 : x * tail);
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
  /** The bound that is claimed, in ULP, and for which |x|. */
  readonly bound: number;
  readonly within?: number;
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
  tan: { expr: math.tan(x), reference: Math.tan, bound: 1, within: 12868 },
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
    bound: 1.7,
  },
  sin: { expr: math.sin(x), reference: Math.sin, bound: 1, within: 12868 },
  cos: { expr: math.cos(x), reference: Math.cos, bound: 1, within: 12868 },
  erf: { expr: math.erf(x), reference: erf, bound: 1 },
  erfc: { expr: math.erfc(x), reference: erfc, bound: 1 },
  gelu: { expr: math.gelu(x), reference: gelu, bound: 1.9 },
};

/** Operations of the sequence: what is neither input nor constant. */
export function operations({ expr }: Subject): number {
  return topological(expr).filter(({ kind }) => kind !== "input" && kind !== "constant").length;
}

export const blockCount = 512;
const blockSize = 2 ** 23;

export interface BlockResult {
  /** 64 bits over the results' bits, NaN as 0x7fc00000, in 16 hex digits. */
  readonly hash: string;
  readonly maxUlp: number;
  readonly at: number;
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

/** Runs all inputs whose upper nine bits are `block`; errors only where `measure`, which takes most of the time. */
export function runBlock(subject: Subject, block: number, { measure = true } = {}): BlockResult {
  const f = scalarFunction(subject.expr);
  const inBits = new Uint32Array(1);
  const inFloat = new Float32Array(inBits.buffer);
  const outFloat = new Float32Array(1);
  const outBits = new Uint32Array(outFloat.buffer);
  let [h1, h2, maxUlp, at, overOne, misrounded, inputs] = [0x811c9dc5, 0x01000193, 0, 0, 0, 0, 0];
  for (let i = 0; i < blockSize; i++) {
    inBits[0] = block * blockSize + i;
    const v = inFloat[0];
    const y = f(v);
    outFloat[0] = y;
    const out = y === y ? outBits[0] : 0x7fc00000;
    h1 = Math.imul(h1 ^ out, 0x01000193);
    h2 = Math.imul(h2 ^ (out + i), 0x5bd1e995);
    h2 ^= h2 >>> 15;
    if (!measure || (subject.within !== undefined && !(Math.abs(v) <= subject.within))) continue;
    inputs++;
    const exact = subject.reference(v);
    const rounded = Math.fround(exact);
    if (Object.is(y, rounded)) continue;
    misrounded++;
    if (y !== y || rounded !== rounded || (y === 0 && rounded === 0)) {
      // A NaN or a zero's sign that isn't the reference's is no matter of degree.
      maxUlp = Infinity;
      at = v;
      overOne++;
      continue;
    }
    // Overflow: measured against the number that would come after the largest.
    const limit = 2 ** 128;
    const error =
      Math.abs(Math.max(-limit, Math.min(limit, y)) - Math.max(-limit, Math.min(limit, exact))) /
      (Math.abs(exact) >= limit ? 2 ** 104 : ulpOf(exact));
    if (error > 1) overOne++;
    if (error > maxUlp) [maxUlp, at] = [error, v];
  }
  const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
  return { hash: hex(h1) + hex(h2), maxUlp, at, overOne, misrounded, inputs };
}
