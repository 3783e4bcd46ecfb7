// The loss and the metrics on the training data (`logging: { trainMetrics: true }`): of each step's outputs as training computes them, before the step's update and with dropout on. They are
// watched in the step, so that its hash, its bits and the stream are those of a run without them.

import { samplesOf } from "../data/groups.ts";
import { countOf } from "../nn/losses/reduction.ts";
import { prefixed, Totals, termsOf } from "../nn/metrics/totals.ts";
import { watch } from "../program/trace.ts";
import { checkFields, type FieldCheck, isDecodedNumber, listOf, recordOf } from "../run/fields.ts";
import type { ResolvedSettings } from "./config/options.ts";
import type { Callback, EpochContext, StepResult, TraceContext } from "./contract.ts";
import type { Metrics } from "./run.ts";

/** What the loss was divided by, where that isn't its samples. */
const countKey = "TrainMetrics/loss/count";
const keyOf = (name: string, i: number) => `TrainMetrics/${name}/${i}`;

const stateChecks: Readonly<Record<string, FieldCheck>> = {
  sums: ["lists of numbers by name", recordOf(listOf(isDecodedNumber))],
};

/** Logs `train_<name>` of the epoch so far with every logged step, and `train_<name>_epoch` of the whole epoch at its end. */
export class TrainMetrics implements Callback {
  readonly name = "TrainMetrics";
  readonly changesTraining = false;
  readonly #metrics: ResolvedSettings["metrics"];
  readonly #totals: Totals;

  constructor(metrics: ResolvedSettings["metrics"]) {
    this.#metrics = metrics;
    this.#totals = new Totals(metrics);
  }

  onTrace({ role, loss, microBatches }: TraceContext): void {
    if (role !== "train") return;
    const count = loss && countOf(loss);
    if (count) watch(countKey, count);
    for (const [i, { batch, outputs }] of microBatches.entries())
      for (const { name, metric } of this.#metrics) watch(keyOf(name, i), termsOf(name, metric, outputs, batch));
  }

  onTrainEpochStart(): void {
    this.#totals.state = {};
  }

  async onTrainStepEnd({ trainer, step, loss, batch, watched, logged }: StepResult): Promise<void> {
    const count = watched[countKey] ? (await watched[countKey].data())[0] : samplesOf(batch);
    this.#totals.add("loss", [loss * count, count]);
    for (const { name } of this.#metrics)
      for (let i = 0; watched[keyOf(name, i)]; i++) this.#totals.add(name, await watched[keyOf(name, i)].data());
    if (logged) await trainer.logMetrics(this.#values(), step);
  }

  async onTrainEpochEnd({ trainer, step }: EpochContext): Promise<void> {
    const values = Object.entries(this.#values()).map(([name, value]) => [`${name}_epoch`, value]);
    await trainer.logMetrics(Object.fromEntries(values), step);
  }

  #values(): Metrics {
    return prefixed("train_", this.#totals.values());
  }

  saveState(): unknown {
    return this.#totals.state;
  }

  loadState(state: unknown): void {
    checkFields(this.name, "the state of training metrics", { sums: state }, stateChecks);
    this.#totals.state = state as Record<string, number[]>;
  }
}
