// A validated number that a callback goes by: which one, which values are better, and the best so far.
import { type Given, nonNegative, type Read, text, word } from "../core/options.ts";
import { directionOf, type Mode, monitored, monitoredName, type NumberNames } from "../optim/monitored.ts";
import type { Metrics } from "./run.ts";

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
  read(metrics: Metrics): number {
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
