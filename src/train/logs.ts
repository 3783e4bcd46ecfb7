// What a Trainer is told to record and to show, on its way to the loggers: names within scopes, messages by level.

import { ConfigError } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import { logLevels } from "./config/shared.ts";
import type { Histogram } from "./histogram.ts";
import type { Metrics } from "./hooks.ts";
import type { Trainer } from "./trainer.ts";

export type MessageLevel = "debug" | "info" | "warn" | "error";

/** The log of one Trainer. */
export class Logs {
  readonly #trainer: Trainer;
  readonly #scopes: string[] = [];

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
  }

  message(level: MessageLevel, text: string): void {
    const { options, hooks } = this.#trainer;
    if (logLevels.indexOf(level) < logLevels.indexOf(options.logging.logLevel)) return;
    const [shown] = hooks.having("logMessage");
    if (shown) atOnce("logMessage", shown.logMessage!(level, text));
    else console[level === "warn" || level === "error" ? "warn" : "info"](`seedgrad: ${text}`);
  }

  async metrics(metrics: Metrics, step: number): Promise<void> {
    await this.#trainer.hooks.call("logMetrics", this.#scoped(metrics), step);
  }

  async histograms(histograms: Readonly<Record<string, Histogram>>, step: number): Promise<void> {
    await this.#trainer.hooks.call("logHistograms", this.#scoped(histograms), step);
  }

  #scoped<T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
    const prefix = this.#scopes.map((name) => `${name}/`).join("");
    if (prefix === "" && Object.hasOwn(values, "step")) {
      throw new ConfigError({
        where: "logMetrics",
        problem: "every record has the step under this name",
        got: "step",
        expected: "another name for a number of one's own",
        hint: "the step that a record belongs to is logMetrics' second argument",
      });
    }
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
  }

  async within<T>(name: string, body: () => T | Promise<T>): Promise<T> {
    this.#scopes.push(name);
    try {
      return await body();
    } finally {
      this.#scopes.pop();
    }
  }
}
