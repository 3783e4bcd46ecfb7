// Real functions for schedules and other host numbers: float64 by + − × ÷ and exact scaling alone, so that they are the same on every
// engine, which Math.cos, exp, log and pow are not. Not for tensors: their functions are kernels/math.

const bits = new DataView(new ArrayBuffer(8));

/** Exactly 2ⁿ for integral n in [−1022, 1023]. */
function powerOfTwo(n: number): number {
  bits.setUint32(0, (n + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** c₀ + c₁·x + c₂·x² + …, by Horner. */
function polynomial(x: number, coefficients: readonly number[]): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + coefficients[i];
  return sum;
}

/** 1, 1/1!, 1/2! … with signs and steps as a series wants them. */
// @__NO_SIDE_EFFECTS__
function inverseFactorials(start: number, step: number, count: number, alternating: boolean): number[] {
  const out: number[] = [];
  let factorial = 1;
  for (let n = 1, next = start; out.length < count; n++) {
    if (n - 1 === next) {
      out.push((alternating && out.length % 2 === 1 ? -1 : 1) / factorial);
      next += step;
    }
    factorial *= n;
  }
  return out;
}

const expSeries = inverseFactorials(0, 1, 16, false);
const cosSeries = inverseFactorials(0, 2, 12, true);
const sinSeries = inverseFactorials(1, 2, 12, true);
const logSeries = /* @__PURE__ */ Array.from({ length: 14 }, (_, i) => 2 / (2 * i + 1));

/** ln 2 in two parts: the first has 32 trailing zero bits, so small multiples of it are exact. */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;

/** eˣ by reduction to |r| ≤ ½ ln 2 and its Taylor series. Relative error below 10⁻¹⁵. */
export function exp(x: number): number {
  if (!(x > -708)) return x !== x ? x : 0;
  if (x > 709) return Infinity;
  const n = Math.floor(x / (ln2High + ln2Low) + 0.5);
  return polynomial(x - n * ln2High - n * ln2Low, expSeries) * powerOfTwo(n);
}

/** ln x of a normal x > 0 by x = 2ᵉ·m, m in [√½, √2), and the series of artanh. NaN for x < 0, −∞ at 0. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  bits.setFloat64(0, x);
  let exponent = (bits.getUint32(0) >>> 20) - 1023;
  let mantissa = x / powerOfTwo(exponent);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  return exponent * ln2High + (s * polynomial(s * s, logSeries) + exponent * ln2Low);
}

/** π/2 in three parts of 33, 33 and 53 bits. */
const halfPi = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;

/** cos(x − quarters·π/2) for |x| ≤ 10⁵. */
function turned(x: number, quarters: number): number {
  const n = Math.floor(x / (Math.PI / 2) + 0.5);
  const r = x - n * halfPi[0] - n * halfPi[1] - n * halfPi[2];
  const quadrant = (((n - quarters) % 4) + 4) % 4;
  const value = quadrant % 2 === 0 ? polynomial(r * r, cosSeries) : r * polynomial(r * r, sinSeries);
  return quadrant === 1 || quadrant === 2 ? -value : value;
}

/** cos x for |x| ≤ 10⁵, x in radians, by reduction by π/2 and Taylor series. Absolute error below 10⁻¹⁵. */
export const cos = (x: number): number => turned(x, 0);

/** sin x, as `cos`. */
export const sin = (x: number): number => turned(x, 1);

/** xⁿ for an integer n by binary exponentiation; of a negative n the reciprocal. */
export function integerPower(x: number, n: number): number {
  let result = 1;
  let square = x;
  for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return n < 0 ? 1 / result : result;
}

/** x^y for x > 0: binary exponentiation for integers, else e^(y·ln x). */
export function power(x: number, y: number): number {
  if (Number.isSafeInteger(y)) return integerPower(x, y);
  return x === 0 ? (y > 0 ? 0 : Infinity) : exp(y * log(x));
}
