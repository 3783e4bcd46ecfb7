// What a Trainer is told to record and to show, on its way to the loggers: names within scopes, messages by level, and how much of both.

import { ConfigError, refuse } from "../core/errors.ts";
import { atOnce } from "../core/promise.ts";
import type { Histogram } from "../io/histogram.ts";
import type { Sample } from "../report/samples.ts";
import type { ResolvedSettings } from "./config/options.ts";
import { logLevels } from "./config/shared.ts";
import type { MessageLevel, Metrics } from "./run.ts";
import type { Session } from "./session.ts";

/** The log of one Trainer. */
export class Logs {
  readonly #session: Session;
  readonly #scopes: string[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  /** How much is logged and shown at the moment: what was given, and over it what callbacks have for the parts of the run that are going on. */
  settings(given: ResolvedSettings["logging"]): ResolvedSettings["logging"] {
    const session = this.#session;
    const now = <K extends "logSteps" | "logLevel">(key: K): (typeof given)[K] => {
      const set = session.parts.flatMap((part) => session.hooks.callbacks.map(({ logging }) => logging?.[part]?.[key]));
      return (set.filter((value) => value !== undefined).at(-1) as (typeof given)[K] | undefined) ?? given[key];
    };
    return {
      ...given,
      get logSteps() {
        return now("logSteps");
      },
      get logLevel() {
        return now("logLevel");
      },
    };
  }

  message(level: MessageLevel, text: string): void {
    const { trainer, hooks } = this.#session;
    if (logLevels.indexOf(level) < logLevels.indexOf(trainer.options.logging.logLevel)) return;
    const [shown] = hooks.having("logMessage");
    if (shown) atOnce("logMessage", shown.logMessage!(level, text));
    else console[level === "warn" || level === "error" ? "warn" : "info"](`seedgrad: ${text}`);
  }

  async metrics(metrics: Metrics, step: number): Promise<void> {
    const scoped = this.#scoped(metrics);
    this.#session.history.add(step, scoped);
    await this.#session.hooks.call("logMetrics", scoped, step);
  }

  async histograms(histograms: Readonly<Record<string, Histogram>>, step: number): Promise<void> {
    await this.#session.hooks.call("logHistograms", this.#scoped(histograms), step);
  }

  async sample(name: string, sample: Sample, step: number): Promise<void> {
    const [scoped] = Object.keys(this.#scoped({ [name]: sample }));
    await this.#session.hooks.call("logSample", scoped, sample, step);
  }

  #scoped<T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
    const prefix = this.#scopes.map((name) => `${name}/`).join("");
    if (prefix === "" && Object.hasOwn(values, "step")) {
      const expected = "another name for a number of one's own";
      const hint = "the step that a record belongs to is logMetrics' second argument";
      refuse(ConfigError, "logMetrics", "every record has the step under this name", "step", expected, hint);
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
