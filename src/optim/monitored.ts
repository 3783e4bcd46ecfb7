// A number of a validation that something goes by, by its name, and which of its values are better: refused before the first step where no validation can have it, or
// nothing says its direction, and else at the first validation that hasn't the number.
import { ConfigError, didYouMean } from "../core/errors.ts";
import { type Given, nonNegative, type Read, text, word } from "../core/options.ts";

/** The names that a validation's numbers may have. */
export interface NumberNames {
  /** As they stand. */
  readonly names: readonly string[];
  /** Those among them that may be of several numbers, `name/key` each; which, is known once they are computed. */
  readonly several: readonly string[];
  /** Which values are better, of those that say so: the loss, and each metric that has a `mode`. */
  readonly modes: Readonly<Record<string, Mode>>;
  /** Whether a model with a loss of its own says others, which are known once they are computed. */
  readonly open?: boolean;
}

/** Which values of a number are better: the least, or the greatest. */
export type Mode = "min" | "max";

/** A name as a validation has it: `val_`, as logged, may stand before it. */
export const monitoredName = (metric: string): string => metric.replace(/^val_/, "");

/** Throws ConfigError, with the nearest name, for one that no number of the validation can have. */
export function checkMonitored(where: string, metric: string, { names, several, open }: NumberNames): void {
  if (open || names.includes(metric) || several.some((name) => metric.startsWith(`${name}/`))) return;
  throw unknownNumber(where, metric, names);
}

/**
 * The one rule for which values of a validated number are better: `given`, else what its loss or metric says. Throws ConfigError, with the nearest name, for a number that no validation can have, and for one
 * of a metric that doesn't say.
 */
export function directionOf(where: string, metric: string, given: Mode | undefined, numbers: NumberNames): Mode {
  checkMonitored(`${where}.metric`, metric, numbers);
  const whole = numbers.several.find((name) => metric.startsWith(`${name}/`));
  const own = numbers.names.includes(metric) ? metric : (whole ?? metric);
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

/** Which number, and how. */
export const monitorFields = {
  /** A validation's number by name: `loss`, or a metric's, of a second loader `<loader>/loss`; with or without `val_` before it. */
  metric: text.default("loss"),
  /** Whether less or more of it is better: by default what its loss or metric says; a metric that doesn't say needs it. */
  mode: word("min", "max").optional(),
  /** A change smaller than this is no improvement. */
  minDelta: nonNegative.default(0),
} as const;
export type MonitorOptions = Given<{ readonly fields: typeof monitorFields }>;

/** Reads one number from validations, and knows its best. */
export class Monitor {
  readonly metric: string;
  /** Which values are better; undefined where it wasn't given, until `aim`. */
  mode: Mode | undefined;
  readonly #where: string;
  readonly #given: Mode | undefined;
  readonly #minDelta: number;
  best: number | undefined;
  bestStep: number | undefined;

  constructor(where: string, { metric, mode, minDelta }: Read<{ readonly fields: typeof monitorFields }>) {
    this.#where = where;
    this.metric = monitoredName(metric);
    this.mode = mode;
    this.#given = mode;
    this.#minDelta = minDelta;
  }

  /** Takes its direction from the numbers of the run's validations. Throws ConfigError where none of them can be the monitored one, or nothing says which values are better. */
  aim(names: NumberNames): void {
    this.mode = directionOf(this.#where, this.metric, this.#given, names);
  }

  /** The monitored number. Throws ConfigError where the validation has none of that name. */
  read(metrics: Readonly<Record<string, number>>): number {
    return monitored(`${this.#where}.metric`, this.metric, metrics);
  }

  /** Whether `a` is better than `b`. */
  better(a: number, b: number): boolean {
    return this.mode === "min" ? a < b : a > b;
  }

  /** Whether the value is better than the best so far by more than minDelta; the first finite one is. */
  improves(value: number): boolean {
    if (!Number.isFinite(value)) return false;
    if (this.best === undefined) return true;
    return this.better(value, this.mode === "min" ? this.best - this.#minDelta : this.best + this.#minDelta);
  }

  /** Makes the value the best, if it improves on it. */
  keep(value: number, step: number): void {
    if (!this.improves(value)) return;
    this.best = value;
    this.bestStep = step;
  }

  saveState(): { best: number | null; bestStep: number | null } {
    return { best: this.best ?? null, bestStep: this.bestStep ?? null };
  }

  loadState(state: unknown): void {
    const { best, bestStep } = state as ReturnType<Monitor["saveState"]>;
    this.best = best ?? undefined;
    this.bestStep = bestStep ?? undefined;
  }
}
