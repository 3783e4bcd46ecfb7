// Checks of what a callback is constructed with.
import { ConfigError } from "../../core/errors.ts";

/** Throws ConfigError unless the value is an integer ≥ `least`. `what` it is a number of, for the message. */
export function checkCount(where: string, value: number, what = "steps", least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ConfigError({
    where,
    problem: `not a number of ${what}`,
    got: String(value),
    expected: `an integer ≥ ${least}`,
  });
}

/** As often as anyone waits for: a larger count is a slip, and would be gone through before the run begins. */
export const mostRepeats = 2 ** 16;

/** Throws ConfigError unless the value is an integer in [least, 2^16]. `each`: what one of them takes. */
export function checkRepeats(where: string, value: number, each: string, least = 1): void {
  checkCount(where, value, "steps", least);
  if (value <= mostRepeats) return;
  throw new ConfigError({
    where,
    problem: "more than anyone waits for",
    got: `${value}: each is ${each}`,
    expected: `at most ${mostRepeats}`,
  });
}

/** Throws ConfigError unless low ≤ value < high. */
export function checkRange(where: string, value: number, low: number, high: number): void {
  if (typeof value === "number" && value >= low && value < high) return;
  throw new ConfigError({
    where,
    problem: "a number out of range",
    got: String(value),
    expected: high === Number.POSITIVE_INFINITY ? `a number ≥ ${low}` : `a number in [${low}, ${high})`,
  });
}
