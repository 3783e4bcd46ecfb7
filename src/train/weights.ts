// Which weights a validation or a prediction sees: those that training has, or an average that a callback keeps beside them. The two are exchanged for as
// long as it takes, and never while something else looks at the others.
import type { HostArray } from "../core/array.ts";
import { ConfigError, refuse, TrainingError } from "../core/errors.ts";
import type { Parameter } from "../program/variable.ts";
import { WeightAverage } from "./callbacks/weight-average.ts";
import type { TrainerView } from "./contract.ts";
import { checkOwn } from "./hooks.ts";
import type { WeightsChoice } from "./run.ts";

/** The average that a choice means; undefined for raw weights. Throws ConfigError where there is none, or several of which none is the one to validate, and where it is another Trainer's. */
export function chosenAverage(trainer: TrainerView, choice: WeightsChoice | undefined): WeightAverage | undefined {
  if (choice === "raw") return undefined;
  const all = [...trainer.callbacks.values()].filter((callback) => callback instanceof WeightAverage);
  const begun = all.filter(({ count }) => count > 0);
  for (const average of begun) checkOwn(trainer, average);
  const validated = begun.find(({ validates }) => validates);
  if (choice === undefined || validated) return validated;
  if (choice === "average" && begun.length === 1) return begun[0];
  throw new ConfigError({
    where: "weights",
    problem: choice !== "average" ? "unknown" : begun.length > 1 ? "several averages" : "there is no average",
    got: choice !== "average" ? String(choice) : names(begun.length > 1 ? begun : all),
    expected: choice !== "average" ? "raw or average" : "a callback that keeps one, and weights from after its start",
    hint: begun.length > 1 ? "validate: true on the one that is meant" : undefined,
  });
}

const names = (averages: readonly WeightAverage[]) =>
  averages.map(({ name, count }) => `${name} of ${count} steps`).join(", ") || "no callback that averages weights";

/** Puts an average in the weights' place and back, for any number of bodies at once or within each other. */
export class Exchange {
  #shown: WeightAverage | undefined;
  #running = 0;
  /** What training has, while an average is in its place. */
  #trained: Promise<readonly (readonly [Parameter, HostArray["data"]])[]> | undefined;

  /** Runs `body` under an average, or under the raw weights. Throws TrainingError while another body runs under others. */
  async under<T>(average: WeightAverage | undefined, body: () => Promise<T>): Promise<T> {
    if (this.#running > 0 && this.#shown !== average) {
      const shown = (which: WeightAverage | undefined) => which?.name ?? "raw weights";
      const problem = "an evaluation under other weights is in progress";
      refuse(TrainingError, "weights", problem, shown(average), shown(this.#shown), "await it first");
    }
    if (this.#running === 0) {
      this.#shown = average;
      this.#trained = average?.replace();
    }
    this.#running++;
    try {
      await this.#trained;
      return await body();
    } finally {
      this.#running--;
      if (this.#running === 0) {
        const trained = await this.#trained?.catch(() => undefined);
        this.#trained = undefined;
        for (const [parameter, data] of trained ?? []) parameter.load(data);
      }
    }
  }
}
