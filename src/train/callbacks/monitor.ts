// A validated number that a callback goes by: which one, what is better, and the best so far.
import { ConfigError } from "../../core/errors.ts";
import { checkMonitored, monitored, monitoredName, type NumberNames } from "../../optim/monitored.ts";
import type { Metrics } from "../hooks.ts";
import { checkRange } from "./check.ts";

export interface MonitorOptions {
  /** A validation's number by name: `loss`, or a metric's, of a second loader `<loader>/loss`; with or without `val_` before it. `loss` by default. */
  readonly metric?: string;
  /** Whether less or more of it is better: by default min for losses, errors and perplexity, else max. What is before a slash must not say otherwise than what is after it. */
  readonly mode?: "min" | "max";
  /** A change smaller than this is no improvement; 0 by default. */
  readonly minDelta?: number;
}

const modeOf = (name: string) => (/loss|error|perplexity/.test(name) ? "min" : "max");

/** Reads one number from validations, and knows its best. */
export class Monitor {
  readonly metric: string;
  readonly mode: "min" | "max";
  readonly #where: string;
  readonly #minDelta: number;
  best: number | undefined;
  bestStep: number | undefined;

  /** Throws ConfigError for a mode or minDelta that is none. */
  constructor(where: string, { metric = "loss", mode, minDelta = 0 }: MonitorOptions) {
    this.#where = where;
    this.metric = monitoredName(metric);
    const [whole, last] = [metric, metric.slice(metric.lastIndexOf("/") + 1)].map((name) => modeOf(name));
    if (mode === undefined && whole !== last) {
      throw new ConfigError({
        where: `${where}.mode`,
        problem: "the number's name doesn't say whether less or more is better",
        got: metric,
        expected: "min or max",
      });
    }
    this.mode = mode ?? whole;
    this.#minDelta = minDelta;
    if (this.mode !== "min" && this.mode !== "max")
      throw new ConfigError({ where: `${where}.mode`, problem: "unknown", got: String(mode), expected: "min or max" });
    checkRange(`${where}.minDelta`, minDelta, 0, Number.POSITIVE_INFINITY);
  }

  /** Throws ConfigError where no validation can have the number. */
  check(names: NumberNames): void {
    checkMonitored(`${this.#where}.metric`, this.metric, names);
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
