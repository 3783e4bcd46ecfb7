// Saves checkpoints as a run goes: every so many steps, at the beginning if asked, at the end always, and after a validation that is among
// the best. Comes last of all callbacks.
import { stepsOf } from "../optim/duration.ts";
import { monitored } from "../optim/monitored.ts";
import { bestCheckpoints, listCheckpoints } from "../run/checkpoint.ts";
import { checkpointFolder, saveCheckpoint } from "./checkpoint.ts";
import type { Callback, StepResult } from "./contract.ts";
import type { Metrics } from "./run.ts";
import type { Session } from "./session.ts";

export class Checkpointer implements Callback {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get #options() {
    return this.#session.trainer.options.checkpoint!;
  }

  async onTrainStart(): Promise<void> {
    if (this.#options.saveInitialCheckpoint && this.#session.progress.step === 0) await saveCheckpoint(this.#session);
  }

  async onTrainBatchEnd(result: StepResult): Promise<void> {
    const { step, totalSteps, validated: metrics } = result;
    const { steps } = this.#options;
    const ends = step === totalSteps || this.#session.progress.stopped !== undefined;
    const due = ends || (steps !== undefined && step % stepsOf(steps, result) === 0);
    const best = metrics !== undefined && this.#isBest(step, metrics);
    if (due || best) await saveCheckpoint(this.#session, undefined, { metrics, best: best && !due });
  }

  /** Whether a step's validation is among the best so far. */
  #isBest(step: number, metrics: Metrics): boolean {
    const { keepBest, trainer } = this.#session;
    if (!keepBest) return false;
    monitored("checkpoint.keepBest.metric", keepBest.metric, metrics);
    const saved = listCheckpoints(checkpointFolder(trainer)!).filter((entry) => entry.step !== step);
    return bestCheckpoints([...saved, { file: "", step, metrics }], keepBest).some((entry) => entry.step === step);
  }
}
