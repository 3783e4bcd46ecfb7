// Statistics of samples, each as a standard score: how many deviations from what a perfect generator gives, on average.

/** Of a χ² value with this many degrees of freedom, by Wilson and Hilferty's cube root. */
export function chiSquaredScore(value: number, degrees: number): number {
  const spread = 2 / (9 * degrees);
  return (Math.cbrt(value / degrees) - 1 + spread) / Math.sqrt(spread);
}

/** χ² score of counts against expected shares (equal ones where none are given). */
export function frequencyScore(counts: ArrayLike<number>, shares?: ArrayLike<number>): number {
  const list = Array.from(counts);
  const total = list.reduce((sum, count) => sum + count, 0);
  let value = 0;
  list.forEach((count, k) => {
    const expected = total * (shares ? shares[k] : 1 / list.length);
    value += (count - expected) ** 2 / expected;
  });
  return chiSquaredScore(value, list.length - 1);
}

/**
 * Kolmogorov and Smirnov's √n·sup|Fₙ − F| of samples with the distribution function F; above 1.95 with probability 0.001. Of many samples it is
 * looked at 2¹⁶ of them, and what those between two can add at most is added, since both functions rise.
 */
export function kolmogorovSmirnov(samples: Float32Array, distribution: (x: number) => number): number {
  const sorted = samples.slice().sort();
  const count = sorted.length;
  const step = Math.ceil(count / 2 ** 16);
  let largest = 0;
  const look = (i: number) => {
    const expected = distribution(sorted[i]);
    largest = Math.max(largest, Math.abs(expected - i / count), Math.abs(expected - (i + 1) / count));
  };
  for (let i = 0; i < count; i += step) look(i);
  look(count - 1);
  return (largest + (step - 1) / count) * Math.sqrt(count);
}

/** √n·correlation of two equally long samples: standard normal where they are independent. */
export function correlationScore(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  let [sumA, sumB, aa, bb, ab] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    sumA += a[i];
    sumB += b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  const covariance = ab / n - (sumA / n) * (sumB / n);
  const [varianceA, varianceB] = [aa / n - (sumA / n) ** 2, bb / n - (sumB / n) ** 2];
  return (Math.sqrt(n) * covariance) / Math.sqrt(varianceA * varianceB);
}

/** √n·(mean of xᵏ − its expectation) / deviation of xᵏ, for a sample's k-th power: standard normal. */
export function momentScore(samples: ArrayLike<number>, k: number, expected: number, expectedOfSquare: number): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) {
    let power = samples[i];
    for (let times = 1; times < k; times++) power *= samples[i];
    sum += power;
  }
  const deviation = Math.sqrt(expectedOfSquare - expected * expected);
  return (Math.sqrt(samples.length) * (sum / samples.length - expected)) / deviation;
}
