// A number of a validation that something goes by, by its name, and which of its values are better: refused before the first step where no validation can have it, or
// nothing says its direction, and else at the first validation that hasn't the number.
import { ConfigError, didYouMean } from "../core/errors.ts";

/** The names that a validation's numbers may have. */
export interface NumberNames {
  /** As they stand. */
  readonly names: readonly string[];
  /** Those among them that may be of several numbers, `name/key` each; which, is known once they are computed. */
  readonly several: readonly string[];
  /** Which values are better, of those that say so: the loss, and each metric that has a `mode`. */
  readonly modes: Readonly<Record<string, Mode>>;
}

/** Which values of a number are better: the least, or the greatest. */
export type Mode = "min" | "max";

/** A name as a validation has it: `val_`, as logged, may stand before it. */
export const monitoredName = (metric: string): string => metric.replace(/^val_/, "");

/** Throws ConfigError, with the nearest name, for one that no number of the validation can have. */
export function checkMonitored(where: string, metric: string, { names, several }: NumberNames): void {
  if (names.includes(metric) || several.some((name) => metric.startsWith(`${name}/`))) return;
  throw unknownNumber(where, metric, names);
}

/**
 * The one rule for which values of a validated number are better: `given`, else what its loss or metric says. Throws ConfigError, with the nearest name, for a number that no validation can have, and for one
 * of a metric that doesn't say.
 */
export function directionOf(where: string, metric: string, given: Mode | undefined, numbers: NumberNames): Mode {
  checkMonitored(`${where}.metric`, metric, numbers);
  const whole = numbers.several.find((name) => metric.startsWith(`${name}/`));
  const own = numbers.names.includes(metric) ? metric : whole!;
  const mode = given ?? (Object.hasOwn(numbers.modes, own) ? numbers.modes[own] : undefined);
  if (mode === "min" || mode === "max") return mode;
  throw new ConfigError({
    where: `${where}.mode`,
    problem: "nothing says whether less or more of this number is better",
    got: mode ?? metric,
    expected: "min or max",
    hint: "give mode: min or mode: max beside it, or let the metric have a property mode",
  });
}

/** The number of a validation. Throws ConfigError, with the nearest name, where it has none of that name. */
export function monitored(where: string, metric: string, metrics: Readonly<Record<string, number>>): number {
  if (Object.hasOwn(metrics, metric)) return metrics[metric];
  throw unknownNumber(where, metric, Object.keys(metrics));
}

function unknownNumber(where: string, metric: string, names: readonly string[]): ConfigError {
  return new ConfigError({
    where,
    problem: "the validation has no such number",
    got: metric,
    expected: `one of ${names.join(", ") || "none: the model has neither loss nor metrics"}`,
    hint: didYouMean(metric, names),
  });
}
