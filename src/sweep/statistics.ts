// Order statistics over seeds. No function of an engine's own: the same numbers on every machine.
import type { Spread } from "../report/results.ts";

/** The value at (count − 1) · quarters ÷ 4 of ascending values, on the straight line between its neighbours. */
function quartile(ascending: readonly number[], quarters: number): number {
  const position = ((ascending.length - 1) * quarters) / 4;
  const index = Math.floor(position);
  const [below, above] = [ascending[index], ascending[Math.min(index + 1, ascending.length - 1)]];
  // Between two infinite values there is no line.
  return position === index || below === above ? below : below + (above - below) * (position - index);
}

/** Least, quartiles and greatest of numbers, NaN not among them; undefined of none. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const ascending = [...values].sort((a, b) => (a < b ? -1 : Number(a > b)));
  const [least, lowerQuartile, median, upperQuartile, greatest] = [0, 1, 2, 3, 4].map((k) => quartile(ascending, k));
  return { count: values.length, least, lowerQuartile, median, upperQuartile, greatest };
}

/** The mean without the least and the greatest; a greatest that is infinite is left out like any other. Undefined of fewer than three values, and where it isn't finite. */
export function trimmedMean(values: readonly number[]): number | undefined {
  if (values.length < 3) return undefined;
  const middle = [...values].sort((a, b) => (a < b ? -1 : Number(a > b))).slice(1, -1);
  const mean = middle.reduce((sum, value) => sum + value, 0) / middle.length;
  return Number.isFinite(mean) ? mean : undefined;
}
