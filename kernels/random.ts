// Float samplers: one value from one word of the stream, as scalar expressions. Each word gives exactly one value, so the number of draws
// is the number of elements. Words are taken as two exact 16-bit halves, since not every backend has 32-bit integers.
import { refuse, ShapeError } from "../src/core/errors.ts";
import { exp as realExp } from "../src/core/real.ts";
import {
  add,
  and,
  constant,
  div,
  type Expr,
  eq,
  exponent,
  floor,
  ge,
  gt,
  high16,
  low16,
  lt,
  mul,
  neg,
  or,
  pow2,
  select,
  sqrt,
  sub,
} from "./expr.ts";
import { log } from "./math/log.ts";
import { cosOfSmall, sinOfSmall } from "./math/trig.ts";

/** Uniform on [0, 1): ⌊word/2⁸⌋·2⁻²⁴, exact. word: uint32 → float32. */
export function uniform(word: Expr): Expr {
  return add(mul(high16(word), 2 ** -16), mul(floor(mul(low16(word), 2 ** -8)), 2 ** -24));
}

/** Uniform on [low, high), float32 numbers: low + u·width, width = fround(high − low); where rounding takes that to high or beyond, the float below high. word: uint32 → float32. */
export function uniformBetween(word: Expr, low: number, high: number): Expr {
  const x = add(mul(uniform(word), Math.fround(high - low)), low);
  return select(lt(x, high), x, floatBelow(high));
}

/** The largest float32 below a finite one. */
function floatBelow(x: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer);
  if (x > 0) bits[0]--;
  else bits[0] = x === 0 ? 0x80000001 : bits[0] + 1;
  return new Float32Array(bits.buffer)[0];
}

/** Whether word < threshold, an integer in [0, 2³²]: true with probability threshold·2⁻³². word: uint32 → bool. */
export function below(word: Expr, threshold: number): Expr {
  const high = high16(word);
  const thresholdHigh = Math.floor(threshold / 0x10000);
  return or(lt(high, thresholdHigh), and(eq(high, thresholdHigh), lt(low16(word), threshold % 0x10000)));
}

/**
 * Standard normal by the inverse CDF: |z| has the upper tail p = (2m + 1)·2⁻³³, m the low 31 bits; the top bit set makes it negative.
 * Reaches ±6.338, never 0. Over all 2³² words: at most 2.03 ULP and 7.2·10⁻⁷ from the exact quantile, 1.75 ULP below 1; |z| never rises
 * with m below 1, and beyond by at most two ULP. word: uint32 → float32.
 */
export function normal(word: Expr): Expr {
  const high = high16(word);
  const low = low16(word);
  const negative = ge(high, 0x8000);
  // 2m + 1 = upper + lower; each is exact, and so is 2³² − upper.
  const upper = mul(sub(high, select(negative, 0x8000, 0)), 2 ** 17);
  const lower = add(mul(low, 2), 1);
  const p = mul(add(upper, lower), 2 ** -33);
  const rest = sub(2 ** 32, upper);
  const rounded = sub(rest, lower);
  const central = mul(rounded, 2 ** -32);
  const lost = mul(sub(sub(rest, rounded), lower), 2 ** -32);
  const magnitude = upperQuantile(p, central, lost);
  return select(negative, neg(magnitude), magnitude);
}

/**
 * Standard normal given that it lies in [low, high], by the inverse CDF at Φ(low) + v·(Φ(high) − Φ(low)), v = (2·word + 1)·2⁻³³, counted
 * from the nearer tail. The bounds are rounded to float32; results lie between them, within 5·10⁻⁷ of the exact quantile up to |z| = 6,
 * and |z| reaches 6.338. word: uint32 → float32.
 * Throws ShapeError unless low < high, low ≤ 4 and high ≥ −4: beyond, 32 bits leave too few values.
 */
export function truncatedNormal(word: Expr, low: number, high: number): Expr {
  const from = Math.fround(low);
  const to = Math.fround(high);
  if (!(from < to && from <= 4 && to >= -4)) {
    const expected = "low < high, low ≤ 4 and high ≥ −4, in standard deviations";
    refuse(ShapeError, "truncatedNormal", "not bounds of a truncated normal", `[${low}, ${high}]`, expected);
  }
  // The mass between the bounds, without cancellation where both are on one side of 0.
  const mass = from > 0 ? normalTail(from) - normalTail(to) : normalTail(-to) - normalTail(-from);
  const { rise, fall } = shares(high16(word), low16(word), 2 ** -33);
  const belowIt = add(mul(rise, mass), normalTail(-from));
  const aboveIt = add(mul(fall, mass), normalTail(to));
  const positive = lt(aboveIt, belowIt);
  const tail = select(positive, aboveIt, belowIt);
  const p = select(lt(tail, 2 ** -33), 2 ** -33, tail);
  const magnitude = upperQuantile(p, sub(1, add(p, p)));
  const z = select(positive, magnitude, neg(magnitude));
  const raised = from > -7 ? select(lt(z, from), from, z) : z;
  return to < 7 ? select(gt(raised, to), to, raised) : raised;
}

/** p = (2·word + 1)·unit and 1 − p, each rounded once by itself; a word's halves are given. */
function shares(high: Expr, low: Expr, unit: number): { readonly rise: Expr; readonly fall: Expr } {
  const upper = mul(high, 2 ** 17);
  const lower = add(mul(low, 2), 1);
  return { rise: mul(add(upper, lower), unit), fall: mul(sub(sub(1 / unit, upper), lower), unit) };
}

/** The top bit, and the shares of the low 31. word: uint32. */
function signed(word: Expr): { readonly negative: Expr; readonly rise: Expr; readonly fall: Expr } {
  const high = high16(word);
  const negative = ge(high, 0x8000);
  return { negative, ...shares(sub(high, select(negative, 0x8000, 0)), low16(word), 2 ** -32) };
}

/** −log of a number in (0, 1), given it and what is left to 1: near 1 it is −log(1 − rest) by Kahan's quotient, which loses nothing of a small rest. */
function minusLog(p: Expr, rest: Expr): Expr {
  const near = lt(rest, p);
  const whole = sub(1, rest);
  const value = neg(log(select(near, whole, p)));
  const left = sub(1, whole);
  return select(near, select(eq(left, 0), rest, div(mul(value, rest), left)), value);
}

/** Standard exponential by the inverse CDF: −log p, p = (2·word + 1)·2⁻³³: in [2⁻³³, 22.88]. word: uint32 → float32. */
export function exponential(word: Expr): Expr {
  const { rise, fall } = shares(high16(word), low16(word), 2 ** -33);
  return minusLog(rise, fall);
}

/** Standard Laplace: a magnitude of −log t, t = (2m + 1)·2⁻³² of the low 31 bits m; the top bit set makes it negative. Reaches ±22.19, never 0. word: uint32 → float32. */
export function laplace(word: Expr): Expr {
  const { negative, rise, fall } = signed(word);
  const magnitude = minusLog(rise, fall);
  return select(negative, neg(magnitude), magnitude);
}

/** Standard Cauchy: a magnitude of cot(½·π·t), t = (2m + 1)·2⁻³² of the low 31 bits m, from the sine and cosine of the smaller of ½·π·t and ½·π·(1 − t); the top bit set makes it negative. Reaches ±2.7·10⁹. word: uint32 → float32. */
export function cauchy(word: Expr): Expr {
  const { negative, rise, fall } = signed(word);
  const far = lt(rise, fall);
  const angle = mul(select(far, rise, fall), Math.PI / 2);
  const [s, c] = [sinOfSmall(angle), cosOfSmall(angle)];
  const magnitude = div(select(far, c, s), select(far, s, c));
  return select(negative, neg(magnitude), magnitude);
}

/** Whether a word is below another: uint32, uint32 → bool. */
export const belowWord = (a: Expr, b: Expr): Expr =>
  or(lt(high16(a), high16(b)), and(eq(high16(a), high16(b)), lt(low16(a), low16(b))));

/** log₂((1 + s)/(1 − s))/s as a polynomial in s², for |s| ≤ 0.172: minimax, relative error 2⁻²⁶. */
const logarithm = [2.885390043258667, 0.9618218541145325, 0.5745982527732849, 0.48009756207466125];

/** Below this c = 1 − 2p, that is for |z| below 1, the middle's formula holds, above it the tail's. */
const border = 0.68269;

/** z/c − 1 as a polynomial in c²: minimax up to the border, error 2⁻²⁸ of z. */
const middle = [
  0.25331413745880127, 0.32811596989631653, 0.18045112490653992, 0.12106797099113464, 0.10622435063123703,
  -0.01069536991417408, 0.3367297649383545, -0.4422109127044678, 0.44386026263237,
];

/** z/√w − 1 as a quotient of polynomials in w, for 0.9 ≤ w ≤ 31: minimax, error 2⁻²⁸ of z. All positive, so Horner loses nothing. */
const numerator = [
  0.04345252364873886, 0.014530038461089134, 0.0018473289674147964, 0.00017815495084505528, 9.678221431386191e-6,
  2.201575171056902e-7,
];
const denominator = [
  1, 0.13799281418323517, 0.019265485927462578, 0.0014122327556833625, 6.840885180281475e-5, 1.2542584499897202e-6,
];

/** c₀ + c₁·x + c₂·x² + …, by Horner. */
function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  return coefficients.reduceRight<Expr | undefined>(
    (sum, coefficient) => (sum ? add(mul(sum, x), coefficient) : constant(coefficient)),
    undefined,
  )!;
}

/**
 * The z ≥ 0 whose upper tail is p, in [2⁻³³, ½], given 1 − 2p as well: central, and what its rounding lost.
 * In the middle z = c + c·g(c²), beyond z = √w·(1 + h(w)), w = −log₂(4p(1 − p)): g and h are small, so their own errors count for
 * little. Needs no other function. Own fits; the idea of w: M. Giles, "Approximating the erfinv function" (2012).
 */
function upperQuantile(p: Expr, central: Expr, lost?: Expr): Expr {
  // y = 4p(1 − p) = 1 − c² = 2ᵉ·m, m in [√½, √2).
  const y = mul(mul(p, 4), sub(1, p));
  const e = exponent(mul(y, Math.SQRT2));
  const m = mul(y, pow2(neg(e)));
  const s = div(sub(1, m), add(m, 1));
  const w = sub(mul(s, polynomial(mul(s, s), logarithm)), e);
  const root = sqrt(w);
  const tail = add(root, mul(root, div(polynomial(w, numerator), polynomial(w, denominator))));
  const extra = mul(central, polynomial(mul(central, central), middle));
  return select(lt(central, border), add(central, lost ? add(extra, lost) : extra), tail);
}

/** The standard normal's upper tail 1 − Φ(x), float64 by pinned operations: its series below 2.5, Laplace's continued fraction above. */
function normalTail(x: number): number {
  if (x < 0) return 1 - normalTail(-x);
  const density = realExp((-x * x) / 2) * 0.3989422804014327;
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 3; n < 99; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  if (density === 0) return 0;
  let fraction = x;
  for (let n = 120; n > 0; n--) fraction = x + n / fraction;
  return density / fraction;
}
