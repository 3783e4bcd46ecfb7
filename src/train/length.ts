// How long a run is, and which validations happen in it.

import { ConfigError, refuse } from "../core/errors.ts";
import { portion } from "../core/portion.ts";
import { type DataLoader, firstBatches } from "../data/loader.ts";
import { type Duration, type RunLength, stepsOf } from "../optim/duration.ts";
import type { LoopOptions } from "./config/shared.ts";

/** Which validation follows a step: one at the loop's frequency, one only because the run ends there, or none. */
export type EvaluationDue = (step: number, epochEnds: boolean) => "scheduled" | "final" | undefined;

/** The batches of a loader that a run trains on. */
export function limited(loader: DataLoader, { overfitBatches }: LoopOptions): DataLoader {
  return overfitBatches === undefined ? loader : firstBatches(loader, overfitBatches);
}

/** Which validation follows a step. Where validation happens at all, it happens after the last step too. */
export function evaluationDue({ evalFrequency: every }: LoopOptions, length: RunLength): EvaluationDue {
  if (every === undefined) return () => undefined;
  const { totalSteps: total } = length;
  const period = every === "epoch" || every === "end" ? undefined : periodOf(every, length);
  const scheduled = (step: number, epochEnds: boolean) =>
    period === undefined ? every === "epoch" && epochEnds : step % period === 0;
  return (step, epochEnds) => (scheduled(step, epochEnds) ? "scheduled" : step === total ? "final" : undefined);
}

/** How long a fit is. Throws ConfigError for a loader without a full batch, or a loop without an end. */
export function lengthOf(loop: LoopOptions, loader: DataLoader): { stepsPerEpoch: number; totalSteps: number } {
  const { gradAccumSteps = 1 } = loop;
  const { batchesPerEpoch } = loader;
  if (gradAccumSteps > Math.max(1, batchesPerEpoch)) {
    const problem = "a step takes more batches than an epoch has";
    refuse(ConfigError, "loop.gradAccumSteps", problem, gradAccumSteps, `at most ${batchesPerEpoch}`);
  }
  const steps = Math.ceil(batchesPerEpoch / gradAccumSteps);
  const stepsPerEpoch = Math.min(steps, loop.stepsPerEpoch ?? Infinity);
  if (!(stepsPerEpoch >= 1) || loader.samplesPerEpoch < loader.batchSize) {
    const problem = "an epoch has no full batch to train on";
    const got = `${loader.samplesPerEpoch} samples in batches of ${loader.batchSize}`;
    refuse(ConfigError, `loader ${loader.name}`, problem, got, "at least one full batch", "make batchSize smaller");
  }
  return { stepsPerEpoch, totalSteps: totalStepsOf(loop, stepsPerEpoch) };
}

/** How many optimizer steps a run has: the least of the limits given. Throws ConfigError when none is. */
function totalStepsOf(loop: LoopOptions, stepsPerEpoch: number): number {
  const { numSteps = Infinity, maxSteps = Infinity, numEpochs = Infinity } = loop;
  const total = Math.min(numSteps, maxSteps, numEpochs * stepsPerEpoch);
  if (Number.isSafeInteger(total)) return total;
  if (total !== Infinity) {
    const got = `${numEpochs} epochs of ${stepsPerEpoch} steps`;
    refuse(ConfigError, "loop.numEpochs", "more steps than can be counted", got, "fewer than 2^53 steps");
  }
  const problem = "nothing says when training ends";
  refuse(ConfigError, "loop", problem, undefined, "numSteps, maxSteps or numEpochs", "loop: { numEpochs: 3 }");
}

/** How many optimizer steps lie between two validations, of a frequency in steps. */
export function periodOf(every: Duration, length: RunLength): number {
  return typeof every === "number" && every < 1
    ? Math.max(1, Math.floor(portion(every, length.totalSteps)))
    : stepsOf(every, length);
}
