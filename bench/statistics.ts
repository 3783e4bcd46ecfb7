// Medians, minima and spreads of a handful of times.

/** What is kept of one contestant's times, in ms. */
export interface Summary {
  readonly median: number;
  readonly minimum: number;
  /** First and third quartile. */
  readonly quartiles: readonly [number, number];
}

/** Linear interpolation between the sorted times. `share`: 0.5 for the median. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}

/** Summarises at least one time. */
export function summarize(times: readonly number[]): Summary {
  const sorted = [...times].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    minimum: sorted[0],
    quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
  };
}
