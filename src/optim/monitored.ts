// A number of a validation that something goes by, by its name: refused before the first step where no validation can have it, and else at the first one that hasn't.
import { ConfigError, didYouMean } from "../core/errors.ts";

/** The names that a validation's numbers may have. */
export interface NumberNames {
  /** As they stand. */
  readonly names: readonly string[];
  /** Those among them that may be of several numbers, `name/key` each; which, is known once they are computed. */
  readonly several: readonly string[];
}

/** A name as a validation has it: `val_`, as logged, may stand before it. */
export const monitoredName = (metric: string): string => metric.replace(/^val_/, "");

/** Throws ConfigError, with the nearest name, for one that no number of the validation can have. */
export function checkMonitored(where: string, metric: string, { names, several }: NumberNames): void {
  if (names.includes(metric) || several.some((name) => metric.startsWith(`${name}/`))) return;
  throw unknownNumber(where, metric, names);
}

/** The number of a validation. Throws ConfigError, with the nearest name, where it has none of that name. */
export function monitored(where: string, metric: string, metrics: Readonly<Record<string, number>>): number {
  if (Object.hasOwn(metrics, metric)) return metrics[metric];
  throw unknownNumber(where, metric, Object.keys(metrics));
}

function unknownNumber(where: string, metric: string, names: readonly string[]): ConfigError {
  const near = didYouMean(metric, names);
  return new ConfigError({
    where,
    problem: "the validation has no such number",
    got: metric,
    expected: `one of ${names.join(", ") || "none: the model has neither loss nor metrics"}`,
    hint: near && `did you mean ${near}?`,
  });
}
