// What a run records of its validation data where they decide something: a schedule that goes by them, how long the run is, or which checkpoints are the best. In all other runs
// validation only watches, and nothing of it is recorded.
import type { DataLoader } from "../data/loader.ts";
import { jsonNumber, type ValidationData } from "../run/manifest.ts";
import type { Callback, TrainerView } from "./contract.ts";

/** Whether a run's rates, its length, or which of its checkpoints are kept as the best depend on its validations. */
export function validationDecides({ schedules, callbacks, options }: Deciding): boolean {
  const steers = (schedules?.steering.length ?? 0) > 0;
  return steers || !!options.checkpoint?.keepBest || [...callbacks.values()].some(({ endsRun }) => endsRun);
}

/** Whether a run's bits depend on a callback: it trains, or a schedule goes by validations that are made with it. */
export function belongsToRun({ schedules }: Pick<TrainerView, "schedules">, callback: Callback): boolean {
  const { changesTraining, changesValidation } = callback;
  return changesTraining !== false || (changesValidation === true && (schedules?.steering.length ?? 0) > 0);
}

type Deciding = Pick<TrainerView, "schedules" | "callbacks" | "options">;

/** The validation loaders of a run that depends on them, in their order; undefined for any other run. */
export function recordedValidation(
  trainer: Deciding,
  validations: readonly DataLoader[],
): readonly ValidationData[] | undefined {
  return validationDecides(trainer) ? describeLoaders(trainer, validations) : undefined;
}

/** Validation loaders as a manifest records them; undefined for none. */
export function describeLoaders(
  { options }: Pick<TrainerView, "options">,
  validations: readonly DataLoader[],
): readonly ValidationData[] | undefined {
  if (validations.length === 0) return undefined;
  const { evalSteps } = options.loop;
  return validations.map(({ name, batchSize, samplesPerEpoch, drawsPerEpoch, shuffleSeed, digests }) => ({
    name,
    batchSize: jsonNumber(batchSize),
    samplesPerEpoch: jsonNumber(samplesPerEpoch),
    drawsPerEpoch: jsonNumber(drawsPerEpoch),
    ...(evalSteps !== undefined && { evalSteps }),
    ...(shuffleSeed !== undefined && { shuffleSeed: shuffleSeed.toString() }),
    digests: { ...digests },
  }));
}
