// The normal distribution in float64, for tests to compare samples with: free to use what the engine may not.

const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Φ(x) − ½ for |x| < 2.5, by its series: relative error below 10⁻¹⁵. */
function centre(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) {
    term *= (x * x) / n;
    sum += term;
  }
  return density(x) * sum;
}

/** 1 − Φ(x) for x ≥ 2.5, by its continued fraction. */
function farTail(x: number): number {
  let fraction = x;
  for (let n = 150; n > 0; n--) fraction = x + n / fraction;
  return density(x) / fraction;
}

/** 1 − Φ(x). */
export function upperTail(x: number): number {
  if (x < 0) return 1 - upperTail(-x);
  return x < 2.5 ? 0.5 - centre(x) : farTail(x);
}

/** z minus the exact value whose upper tail is p ≤ ½, for a z ≥ 0 that is nearly it: one Newton step. `central` is ½ − p. */
export function quantileError(z: number, p: number, central = 0.5 - p): number {
  return (z < 2.5 ? centre(z) - central : p - farTail(z)) / density(z);
}

/** The distance from one float32 to the next at x > 0. */
export function unitInLastPlace(x: number): number {
  let unit = 2 ** -23;
  for (; x / unit >= 2 ** 24; unit *= 2);
  for (; x / unit < 2 ** 23; unit /= 2);
  return unit;
}
