// Where tests and the bench try an elementwise op. No program loads this.
import type { ElementwiseRecord } from "./record.ts";

/** Zeros, halves, subnormal, largest and no numbers. */
const usual = [0, -0, 0.5, -0.5, 1, -1, 1e-40, -1e-40, 3e38, -3e38, Infinity, -Infinity, NaN];

/** A record's range for random points, and its single ones. */
export function samplesOf({ samples = {} }: ElementwiseRecord) {
  const { range = [-4, 4], beside = [], edges = [...usual, ...beside] } = samples;
  return { range, edges };
}
