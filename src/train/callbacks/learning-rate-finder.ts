// Tries learning rates out before a run (Smith 2017, the range test): a few steps with ever larger rates, on a copy of the weights.

import { configured } from "../../core/configured.ts";
import { ConfigError, refuse } from "../../core/errors.ts";
import { flag, type Given, numberOf, options, positive, type Read, repeats } from "../../core/options.ts";
import { exp, log } from "../../core/real.ts";
import { groups as groupsOf } from "../../data/groups.ts";
import { watchOffset } from "../../rng/regions.ts";
import { Stream } from "../../rng/stream.ts";
import { checkFields, type FieldCheck, isDecodedNumber, orNull } from "../../run/fields.ts";
import type { Callback, FitContext, TrainerView } from "../contract.ts";
import { withStateRestored } from "./snapshot.ts";

const record = options("LearningRateFinder", {
  /** The first rate tried. */
  minimum: positive.default(1e-6),
  /** The last rate tried. */
  maximum: positive.default(1),
  /** How many rates are tried, evenly in the logarithm, at most 65536. */
  steps: repeats("a step of training before the first", 10).default(60),
  /** Ends once the smoothed loss is so many times the best. */
  stopAt: numberOf("a number ≥ 1", { least: 1 }).default(4),
  /** Trains with the suggestion; otherwise it is only told. */
  apply: flag.default(false),
});
export type LearningRateFinderOptions = Given<typeof record>;

const emptiness = ({ minimum, maximum }: Read<typeof record>) =>
  maximum > minimum
    ? undefined
    : { problem: "no range of learning rates", got: `${minimum} to ${maximum}`, expected: "0 < minimum < maximum" };

const stateChecks: Readonly<Record<string, FieldCheck>> = {
  suggestion: ["a number or null", orNull(isDecodedNumber)],
};

/** One rate that was tried. */
export interface TriedRate {
  readonly learningRate: number;
  readonly loss: number;
  /** Losses so far, averaged with weights that fall by a tenth a step. */
  readonly smoothed: number;
}

/**
 * Tells, before the first step, the learning rate at which the loss falls fastest. Weights, optimizer state and the stream's position are then what they
 * were: without `apply` the run is the same run. With it training is changed: every group gets the rate, and the digest is another.
 */
export class LearningRateFinder extends configured(record, emptiness) implements Callback {
  readonly changesTraining = this.options.apply;
  #tried: readonly TriedRate[] = [];
  #suggestion: number | undefined;
  /** The groups' rates as the run was made with them: another fit finds them so. */
  #given: readonly number[] = [];

  describe(): unknown {
    return this.options;
  }

  /** What was tried, in order. */
  get tried(): readonly TriedRate[] {
    return this.#tried;
  }

  /** The rate found; undefined where the loss fell nowhere. */
  get suggestion(): number | undefined {
    return this.#suggestion;
  }

  postSetup({ schedules }: TrainerView): void {
    this.#suggestion = undefined;
    if (!this.options.apply || !schedules) return;
    const problem = "the run's schedules set the learning rate";
    const got = "apply: true, and schedulers";
    refuse(ConfigError, "LearningRateFinder.apply", problem, got, undefined, "take one of the two away");
  }

  async onTrainStart(context: FitContext): Promise<void> {
    const { trainer } = context;
    if (trainer.step === 0) {
      this.#tried = await withStateRestored(trainer, () => this.#try(context));
      this.#suggestion = steepest(this.#tried);
      const text = this.#suggestion === undefined ? "none: the loss fell nowhere" : this.#suggestion.toPrecision(3);
      trainer.message("info", `LearningRateFinder: ${this.#tried.length} rates tried, suggestion: ${text}`);
    }
    const { groups } = trainer.needOptimizer();
    this.#given = groups.map(({ learningRate }) => learningRate);
    if (this.options.apply && this.#suggestion !== undefined)
      for (const group of groups) group.learningRate = this.#suggestion;
  }

  finalize({ trainer }: { trainer: TrainerView }): void {
    for (const [i, rate] of this.#given.entries()) trainer.needOptimizer().groups[i].learningRate = rate;
    this.#given = [];
  }

  async #try({ trainer, loader }: FitContext): Promise<TriedRate[]> {
    const { minimum, maximum, steps, stopAt } = this.options;
    const { seed } = trainer;
    const step = await trainer.trainStep();
    const optimizer = trainer.needOptimizer();
    const range = log(maximum / minimum);
    const tried: TriedRate[] = [];
    const stream = new Stream(seed, watchOffset);
    let average = 0;
    let weight = 0;
    let best = Number.POSITIVE_INFINITY;
    while (tried.length < steps) {
      const draws = { seed, offset: stream.reserve(loader.drawsPerEpoch) };
      for await (const { input } of groupsOf(loader, draws, trainer.options.loop.gradAccumSteps)) {
        const learningRate = minimum * exp((range * tried.length) / (steps - 1));
        for (const group of optimizer.groups) group.learningRate = learningRate;
        const { result, watched, draws: taken } = await step.execute([input], { base: stream.position });
        stream.reserve(taken);
        const [loss] = await result.data();
        for (const tensor of [result, ...Object.values(watched)]) tensor.dispose();
        average = 0.9 * average + 0.1 * loss;
        weight = 0.9 * weight + 0.1;
        const smoothed = average / weight;
        if (!Number.isFinite(smoothed) || smoothed > stopAt * best) return tried;
        best = Math.min(best, smoothed);
        tried.push({ learningRate, loss, smoothed });
        if (tried.length === steps) break;
      }
    }
    return tried;
  }

  saveState(): unknown {
    return { suggestion: this.#suggestion ?? null };
  }

  loadState(state: unknown): void {
    checkFields(this.name, "the state of LearningRateFinder", state, stateChecks);
    this.#suggestion = (state as { suggestion: number | null }).suggestion ?? undefined;
  }
}

/** Where the smoothed loss falls fastest from one rate to the next but one; the first and last tenth don't count. */
function steepest(tried: readonly TriedRate[]): number | undefined {
  const margin = Math.max(1, Math.floor(tried.length / 10));
  let found: number | undefined;
  let slope = 0;
  for (let i = margin; i < tried.length - margin; i++) {
    const change = tried[i + 1].smoothed - tried[i - 1].smoothed;
    if (change >= slope) continue;
    slope = change;
    found = tried[i].learningRate;
  }
  return found;
}
