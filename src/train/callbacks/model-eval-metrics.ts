// Metrics that a model brings along itself: a property `metrics` of it, or of a module inside, measured in validation beside the Trainer's own.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { options } from "../../core/options.ts";
import { prefixed, Totals } from "../../nn/metrics/totals.ts";
import type { Metric } from "../../nn/metrics.ts";
import { namedModules } from "../../nn/naming.ts";
import { watch } from "../../program/trace.ts";
import type {
  Callback,
  FitContext,
  TraceContext,
  TrainerView,
  ValidateContext,
  ValidateStepResult,
} from "../contract.ts";
import type { Metrics } from "../run.ts";

const prefix = "ModelEvalMetrics/";
const isMetric = (value: unknown): value is Metric => typeof (value as Metric | null)?.terms === "function";

/** Logs `val_<name>` of every metric in a module's `metrics` (a record of metrics by name, or a list of them). */
export class ModelEvalMetrics extends configured(options("ModelEvalMetrics", {})) implements Callback {
  readonly changesTraining = false;
  #metrics: readonly { readonly name: string; readonly metric: Metric }[] = [];
  #totals = new Totals([]);

  postSetup({ model, options }: TrainerView): void {
    const found = new Map<string, Metric>();
    const taken = new Set(["loss", ...options.metrics.map(({ name }) => name)]);
    for (const [path, module] of namedModules(model)) {
      const { metrics } = module as { metrics?: Readonly<Record<string, unknown>> | readonly unknown[] };
      for (const [key, metric] of Object.entries(metrics ?? {})) {
        if (!isMetric(metric)) continue;
        const name = Array.isArray(metrics) ? metric.name : key;
        const full = path === "model" ? name : `${path}/${name}`;
        if (taken.has(full) || found.has(full)) {
          refuse(ConfigError, "ModelEvalMetrics", "two metrics of one name", full, "a name of its own for each");
        }
        found.set(full, metric);
      }
    }
    this.#metrics = [...found].map(([name, metric]) => ({ name, metric }));
  }

  onFitStart({ trainer }: FitContext): void {
    if (this.#metrics.length > 0) return;
    trainer.message("warn", "ModelEvalMetrics: no module of the model has metrics: there is nothing for it to log");
  }

  onTrace({ role, outputs, batch }: TraceContext): void {
    if (role !== "eval" || !outputs) return;
    for (const { name, metric } of this.#metrics) watch(prefix + name, metric.terms(outputs, batch));
  }

  onValidateStart(): void {
    this.#totals = new Totals(this.#metrics);
  }

  async onValidateStepEnd({ watched }: ValidateStepResult): Promise<void> {
    for (const { name } of this.#metrics) {
      const terms = watched[prefix + name];
      if (terms) this.#totals.add(name, await terms.data());
    }
  }

  async onValidateEnd({ trainer, step }: ValidateContext, _: Metrics): Promise<void> {
    const values = this.#totals.values();
    if (Object.keys(values).length > 0) await trainer.logMetrics(prefixed("val_", values), step);
  }
}
