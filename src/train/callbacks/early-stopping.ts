// Ends a run when a validated number has not got better for a while. Validation is part of such a run: how long it is depends on it.

import { configured } from "../../core/configured.ts";
import { CheckpointError } from "../../core/errors.ts";
import { countOf, finite, flag, type Given, options } from "../../core/options.ts";
import { Monitor, monitorFields } from "../../optim/monitored.ts";
import { Variable } from "../../program/variable.ts";
import {
  checkFields,
  type FieldCheck,
  isCount,
  isDecodedNumber,
  isRecord,
  isText,
  maybe,
  orNull,
} from "../../run/fields.ts";
import { zeros } from "../../tensor/creation.ts";
import type { Callback, FitContext, TrainerView, ValidateContext } from "../contract.ts";
import { periodOf } from "../length.ts";
import { checkValidated, numberNames } from "../numbers.ts";
import type { Metrics } from "../run.ts";

const record = options("EarlyStopping", {
  ...monitorFields,
  /** Validations in a row without an improvement after which the run ends. */
  patience: countOf("validations").default(3),
  /** Ends the run once the number is at least this good. */
  stoppingThreshold: finite.optional(),
  /** Ends the run once the number is worse than this. */
  divergenceThreshold: finite.optional(),
  /** Whether the Trainer has, when the fit is over, the weights that were validated as the best: a copy of them is kept beside the model, and in checkpoints. The digest stays that of the last step. */
  restoreBest: flag.default(false),
});
export type EarlyStoppingOptions = Given<typeof record>;

interface Told {
  readonly metric: string;
  readonly mode: "min" | "max";
  readonly frequency: string | number;
}

const stateChecks: Readonly<Record<string, FieldCheck>> = {
  best: ["a number or null", orNull(isDecodedNumber)],
  bestStep: ["a step or null", orNull(isCount)],
  waited: ["a count", isCount],
  reason: ["a text or null", orNull(isText)],
  told: ["which validations", maybe(isRecord)],
};

/** Stops training after `patience` validations without an improvement, or past a threshold. The run's digest is that of the steps taken. */
export class EarlyStopping extends configured(record) implements Callback {
  /** How long the run is, is in its record: a replay ends there. */
  readonly changesTraining = false;
  readonly endsRun = true;
  readonly #monitor = new Monitor("EarlyStopping", this.options);
  #waited = 0;
  /** Which validations it is told of, and which of their numbers it takes. */
  #told: Told | undefined;
  #restored: Told | undefined;
  #reason: string | undefined;
  /** The model's variables by path, each with its copy. */
  #kept: [string, Variable, Variable][] = [];

  postSetup({ model }: TrainerView): void {
    if (!this.options.restoreBest) return;
    this.#kept = model
      .namedVariables()
      .map(([path, variable]) => [path, variable, new Variable(zeros(variable.shape, variable.dtype))]);
  }

  namedVariables(): [string, Variable][] {
    return this.#kept.map(([path, , copy]) => [path, copy]);
  }

  onFitStart({ trainer, validations }: FitContext): void {
    // A replay in the process of its run is given the same object.
    if (trainer.step === 0) this.loadState({ best: null, bestStep: null, waited: 0, reason: null });
    if (validations.length > 0) this.#monitor.aim(numberNames(trainer.options, validations));
  }

  onTrainStart(context: FitContext): void {
    const { trainer, validations } = context;
    checkValidated("EarlyStopping", trainer, validations);
    const every = trainer.options.loop.evalFrequency!;
    const frequency = every === "epoch" || every === "end" ? every : periodOf(every, context);
    this.#told = { metric: this.#monitor.metric, mode: this.#monitor.mode!, frequency };
    this.#checkRestored(this.#told);
    // What was decided before a checkpoint stands after it, unless patience has grown.
    if (this.#reason !== undefined && this.#waited >= this.options.patience) trainer.stop(this.#reason);
  }

  /** Throws CheckpointError where a checkpoint's best and patience are of another number, or of validations that this run doesn't have. */
  #checkRestored(told: Told): void {
    const restored = this.#restored;
    this.#restored = undefined;
    for (const key of restored ? (["metric", "mode", "frequency"] as const) : []) {
      if (restored![key] === told[key]) continue;
      throw new CheckpointError({
        where: "EarlyStopping",
        problem: `the checkpoint's state is of another ${key === "frequency" ? "validation frequency" : key}`,
        got: String(restored![key]),
        expected: String(told[key]),
        hint: `give it as it was${key === "frequency" ? " (a fraction is another number of steps in a longer run)" : ""}, use another folder (modelDir), or leave EarlyStopping out`,
      });
    }
  }

  async onValidateEnd({ trainer, step, decides }: ValidateContext, metrics: Metrics): Promise<void> {
    if (!decides) return;
    const value = this.#monitor.read(metrics);
    const better = this.#monitor.improves(value);
    this.#waited = better ? 0 : this.#waited + 1;
    for (const [, variable, copy] of better ? this.#kept : []) copy.load((await variable.data()).slice());
    this.#monitor.keep(value, step);
    this.#reason = this.#verdict(value);
    if (this.#reason !== undefined) trainer.stop(this.#reason);
  }

  #verdict(value: number): string | undefined {
    const { metric, best, bestStep } = this.#monitor;
    const { stoppingThreshold, divergenceThreshold } = this.options;
    if (!Number.isFinite(value)) return `EarlyStopping: ${metric} is ${value}`;
    if (stoppingThreshold !== undefined && !this.#monitor.better(stoppingThreshold, value))
      return `EarlyStopping: ${metric} ${value} has reached ${stoppingThreshold}`;
    if (divergenceThreshold !== undefined && this.#monitor.better(divergenceThreshold, value))
      return `EarlyStopping: ${metric} ${value} is past ${divergenceThreshold}`;
    if (this.#waited < this.options.patience) return undefined;
    return `EarlyStopping: ${metric} was best at step ${bestStep} (${best}), ${this.#waited} validations ago`;
  }

  async finalWeights() {
    if (this.#kept.length === 0 || this.#monitor.best === undefined) return undefined;
    return Promise.all(this.#kept.map(async ([, variable, copy]) => [variable, await copy.data()] as const));
  }

  saveState(): unknown {
    return { ...this.#monitor.saveState(), told: this.#told, waited: this.#waited, reason: this.#reason ?? null };
  }

  loadState(state: unknown): void {
    checkFields(this.name, "the state of EarlyStopping", state, stateChecks);
    const { waited, reason, told } = state as { waited: number; reason: string | null; told?: Told };
    this.#restored = told;
    this.#monitor.loadState(state);
    this.#waited = waited;
    this.#reason = reason ?? undefined;
  }
}
