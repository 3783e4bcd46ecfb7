// How long a run is, and which validations happen in it.
import { ConfigError } from "../core/errors.ts";
import { type DataLoader, firstBatches } from "../data/loader.ts";
import { periodOf, totalStepsOf } from "./config/options.ts";
import type { LoopOptions } from "./config/shared.ts";

/** Which validation follows a step: one at the loop's frequency, one only because the run ends there, or none. */
export type EvaluationDue = (step: number, epochEnds: boolean) => "scheduled" | "final" | undefined;

/** The batches of a loader that a run trains on. */
export function limited(loader: DataLoader, { overfitBatches }: LoopOptions): DataLoader {
  return overfitBatches === undefined ? loader : firstBatches(loader, overfitBatches);
}

/** Which validation follows a step of `total`. Where validation happens at all, it happens after the last step too. */
export function evaluationDue({ evalFrequency: every }: LoopOptions, total: number): EvaluationDue {
  if (every === undefined) return () => undefined;
  const period = typeof every === "number" ? periodOf(every, total) : undefined;
  const scheduled = (step: number, epochEnds: boolean) =>
    period === undefined ? every === "epoch" && epochEnds : step % period === 0;
  return (step, epochEnds) => (scheduled(step, epochEnds) ? "scheduled" : step === total ? "final" : undefined);
}

/** How long a fit is. Throws ConfigError for a loader without a full batch, or a loop without an end. */
export function lengthOf(loop: LoopOptions, loader: DataLoader): { stepsPerEpoch: number; totalSteps: number } {
  const { gradAccumSteps = 1 } = loop;
  const { batchesPerEpoch } = loader;
  if (gradAccumSteps > Math.max(1, batchesPerEpoch)) {
    throw new ConfigError({
      where: "loop.gradAccumSteps",
      problem: "a step takes more batches than an epoch has",
      got: String(gradAccumSteps),
      expected: `at most ${batchesPerEpoch}`,
    });
  }
  const steps = Math.ceil(batchesPerEpoch / gradAccumSteps);
  const stepsPerEpoch = Math.min(steps, loop.stepsPerEpoch ?? Infinity);
  if (!(stepsPerEpoch >= 1) || loader.samplesPerEpoch < loader.batchSize) {
    throw new ConfigError({
      where: `loader ${loader.name}`,
      problem: "an epoch has no full batch to train on",
      got: `${loader.samplesPerEpoch} samples in batches of ${loader.batchSize}`,
      expected: "at least one full batch",
      hint: "make batchSize smaller",
    });
  }
  return { stepsPerEpoch, totalSteps: totalStepsOf(loop, stepsPerEpoch) };
}
