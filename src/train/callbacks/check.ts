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
