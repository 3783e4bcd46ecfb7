// The callback that a replay is watched by: it compares each link as it is made, each checkpoint of the folder at its step, and ends the replay at a
// link that differs, at the last step asked for, or where the recorded run ended.
import { ReproError } from "../core/errors.ts";
import type { DataLoader } from "../data/loader.ts";
import type { ChainLink } from "../run/chain.ts";
import type { CheckpointEntry } from "../run/checkpoint.ts";
import { type ChainDifference, compareLinks, differenceError } from "../run/compare.ts";
import type { RunFacts } from "../run/facts.ts";
import type { Callback, FitContext, StepResult, TrainerView } from "../train/contract.ts";
import { programFacts } from "../train/facts.ts";
import type { Metrics } from "../train/run.ts";
import type { Checks } from "./checks.ts";
import type { Recorded } from "./folder.ts";
import { compareCheckpoint } from "./states.ts";

/** A number that a file says a step was given, and the replay's step wasn't. */
function unknownNumber({ step, numbers }: ChainLink, recorded: ChainLink): ChainDifference | undefined {
  const name = Object.keys(recorded.numbers).find((other) => numbers[other] === undefined);
  return name === undefined ? undefined : { step, kind: "given", first: `${name} none`, second: `${name} given` };
}

/** Watches a replay. */
export class Comparison implements Callback {
  readonly #recorded: Recorded;
  readonly #validations: () => readonly DataLoader[];
  readonly #checks: Checks;
  readonly #metrics: Metrics[] = [];
  step: number;
  /** The replay's program, as a manifest would record it. */
  facts: RunFacts | undefined;
  totalSteps: number | undefined;
  difference: ChainDifference | undefined;
  /** Whether the replay was ended here, and is no failure. */
  ended = false;
  /** Whether nothing but the recorded end made the replay end before the loop's limits. */
  cut = false;

  constructor(recorded: Recorded, validations: () => readonly DataLoader[], checks: Checks) {
    this.#recorded = recorded;
    this.#validations = validations;
    this.#checks = checks;
    this.step = recorded.from;
  }

  /** Whether the replay validates. */
  get validates(): boolean {
    return this.#metrics.length > 0;
  }

  onFitStart({ trainer, loader, totalSteps }: FitContext): void {
    // As they are before a callback moves them.
    this.facts = programFacts(trainer, loader, this.#validations());
    this.totalSteps = totalSteps;
  }

  async onTrainStart({ trainer }: FitContext): Promise<void> {
    if (trainer.step === 0) await this.#compareCheckpoints(trainer, 0, undefined);
  }

  onTrainStepEnd({ trainer, step }: StepResult): void {
    this.step = step;
    const link = trainer.lastLink!;
    const recorded = this.#recorded.links[step - 1];
    this.difference = compareLinks(step, link, recorded) ?? unknownNumber(link, recorded);
    if (!this.difference) return;
    this.ended = true;
    throw differenceError(this.difference);
  }

  async onTrainBatchEnd({ trainer, step, totalSteps, validated }: StepResult): Promise<void> {
    if (validated) this.#metrics.push(validated);
    await this.#compareCheckpoints(trainer, step, validated);
    const { last, links, manifest } = this.#recorded;
    if (step === last) {
      this.ended = true;
      throw new ReproError({ where: `step ${step}`, problem: "the replay was to end here" });
    }
    if (manifest.result?.stopped === undefined || step !== links.length || trainer.progress.stopped !== undefined)
      return;
    this.cut = true;
    if (step < totalSteps) trainer.stop("the recorded run ends here");
  }

  async #compareCheckpoints(trainer: TrainerView, step: number, validated: Metrics | undefined): Promise<void> {
    const { folder, entries } = this.#recorded;
    const here = entries.filter((entry) => entry.step === step);
    for (const entry of here) {
      const path = `${folder}/checkpoints/${entry.file}`;
      const validation = { here: validated ?? (await this.#again(trainer, entry)), all: this.#metrics };
      await compareCheckpoint(trainer, { path, entry }, validation, this.#checks);
    }
  }

  /** The numbers of a validation that the run made where this program makes none: the last of a run that was made longer since. */
  async #again(trainer: TrainerView, { metrics }: CheckpointEntry): Promise<Metrics | undefined> {
    const loaders = this.#validations();
    if (metrics === undefined || loaders.length === 0) return undefined;
    const found = await trainer.evaluate(loaders);
    this.#metrics.push(found);
    return found;
  }
}
