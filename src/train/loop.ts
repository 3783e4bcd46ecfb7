// The training loop: for each epoch the loader's range of the stream; then, batch by batch, the compiled step, the chain's next
// link, the hooks, validation where it is due, and the checkpoint. Everything it depends on is in the progress that it moves on.
import { CheckpointError, DataError } from "../core/errors.ts";
import { type EpochDraws, epochDraws } from "../data/draws.ts";
import type { DataLoader } from "../data/loader.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Schedules } from "../optim/schedules/index.ts";
import type { Stream } from "../rng/stream.ts";
import type { ChainStep } from "../run/chain.ts";
import { breathe } from "./clock.ts";
import { ahead, type DataClock } from "./feed.ts";
import { groups } from "./group.ts";
import type { Hooks, Metrics, StepContext, StepResult } from "./hooks.ts";
import { stepNumbers } from "./inputs.ts";
import type { EvaluationDue } from "./length.ts";
import { learningRates } from "./rates.ts";
import type { TrainStep } from "./step.ts";
import type { Trainer } from "./trainer.ts";

/** Where a run is: with the stream's position, all that the loop's next step depends on. */
export interface Progress {
  /** Optimizer steps taken. */
  step: number;
  /** From 0. */
  epoch: number;
  /** The offset of the epoch's range of draws, which is known from its number; null before its first batch. */
  offset: number | null;
  /** Batches of the loader taken in this epoch. */
  cursor: number;
  /** The last step's loss. */
  loss: number | null;
  /** The last validation's values. */
  metrics: Metrics;
  /** Why the run ends before its last step, if it does. */
  stopped?: string;
}

/** What the loop is given. */
export interface Training {
  readonly trainer: Trainer;
  readonly loader: DataLoader;
  readonly validations: readonly DataLoader[];
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** Micro-batches an optimizer step. */
  readonly gradAccumSteps: number;
  readonly stream: Stream;
  readonly optimizer: Optimizer;
  readonly schedules: Schedules | undefined;
  readonly trainStep: TrainStep;
  readonly hooks: Hooks;
  readonly progress: Progress;
  readonly evaluationDue: EvaluationDue;
  readonly validate: (how: { readonly decides: boolean }) => Promise<Metrics>;
  readonly clock: DataClock;
  /** Adds the step to the run's chain. */
  readonly link: (step: ChainStep) => void;
  /** Asked after each step: once aborted, no further one is begun. */
  readonly signal: AbortSignal | undefined;
}

/** Trains from where `progress` is to the last step, or to the end of the step in which the signal is aborted. */
export async function train(training: Training): Promise<void> {
  const { trainer, loader, validations, totalSteps, stream, trainStep, hooks, progress } = training;
  const fit = { trainer, totalSteps, loader, validation: validations[0], validations };
  training.schedules?.apply(progress.step);
  const ended = () => progress.stopped !== undefined || training.signal?.aborted;
  while (progress.step < totalSteps && !ended()) {
    const draws = epochDraws(loader, stream.seed, progress.epoch);
    checkOrder(loader, progress, draws);
    progress.offset = draws.offset;
    const before = progress.step;
    for await (const { batches, input, batch } of ahead(feed(training, draws), stepsLeft(training), training.clock)) {
      const { epoch } = progress;
      const step = progress.step + 1;
      const learningRate = training.optimizer.groups[0].learningRate;
      const context: StepContext = { ...fit, step, epoch, batch, learningRate };
      await hooks.call("onTrainBatchStart", context);
      await hooks.call("onTrainStepStart", context);

      trainer.occupancy.refuseUnawaited(`step ${step}`);
      trainer.settled = false;
      const rates = learningRates(trainer);
      const numbers = await stepNumbers(trainer);
      const { result, watched, graphHash, scalars } = await trainStep.execute([input]);
      const [loss] = await result.data();
      training.link({ graphHash, position: stream.position, batch, given: { ...scalars, ...numbers }, loss });
      advance(training, loss, batches.length);

      const logged = step % trainer.options.logging.logSteps === 0 || step === totalSteps;
      const stepResult: StepResult = { ...context, loss, watched, logged };
      await hooks.call("onBeforeForward", stepResult);
      await hooks.call("onAfterForward", stepResult);
      await hooks.call("onBeforeBackward", stepResult);
      await hooks.call("onAfterBackward", stepResult);
      await hooks.call("onBeforeOptimizerStep", stepResult);
      await hooks.call("onAfterOptimizerStep", stepResult);
      await hooks.call("onBeforeSchedulerStep", stepResult);
      training.schedules?.apply(progress.step);
      await hooks.call("onAfterSchedulerStep", stepResult);
      await hooks.call("onTrainStepEnd", stepResult);
      if (logged) await log(stepResult, rates);

      const epochEnds = progress.cursor === 0;
      const due = training.evaluationDue(step, epochEnds);
      const decides = due === "scheduled";
      const validated = due && (await training.clock.beside(() => training.validate({ decides })));
      progress.metrics = validated ?? progress.metrics;
      if (validated) training.schedules?.apply(progress.step);
      trainer.settled = true;
      await hooks.call("onTrainBatchEnd", { ...stepResult, validated });
      await breathe();
      for (const tensor of [result, ...Object.values(watched)]) tensor.dispose();
      for (const taken of batches) loader.release?.(taken);
      if (epochEnds || step === totalSteps) break;
      if (ended()) return;
    }
    checkProgress(loader, progress, before, totalSteps);
  }
}

function feed({ loader, gradAccumSteps, progress, clock }: Training, draws: EpochDraws) {
  return groups(clock.measure(loader), draws, gradAccumSteps, progress.cursor);
}

/** To the epoch's end, or the run's. */
function stepsLeft({ progress, stepsPerEpoch, totalSteps, gradAccumSteps }: Training): number {
  return Math.min(stepsPerEpoch - Math.floor(progress.cursor / gradAccumSteps), totalSteps - progress.step);
}

/** One step further; at the epoch's last batch, to the next epoch's border. */
function advance({ progress, stepsPerEpoch, gradAccumSteps }: Training, loss: number, batches: number): void {
  progress.step++;
  progress.cursor += batches;
  progress.loss = loss;
  if (Math.ceil(progress.cursor / gradAccumSteps) < stepsPerEpoch) return;
  progress.epoch++;
  progress.cursor = 0;
  progress.offset = null;
}

/** Throws CheckpointError where a checkpoint's epoch began with other draws than the loader's. */
function checkOrder(loader: DataLoader, { step, epoch, offset }: Progress, draws: EpochDraws): void {
  if (offset === null || offset === draws.offset) return;
  throw new CheckpointError({
    where: `loader ${loader.name}`,
    problem: `the run was in the middle of an epoch at step ${step}, and this loader draws that epoch's order elsewhere`,
    got: `epoch ${epoch} from draw ${draws.offset}, ${loader.drawsPerEpoch} draws per epoch`,
    expected: `from draw ${offset}`,
    hint: "resume with the run's own data",
  });
}

async function log({ trainer, step, loss, watched }: StepResult, rates: Metrics): Promise<void> {
  const own: Record<string, number> = {};
  for (const name of ["gradient_norm", "loss_scale", "skipped_steps"])
    if (watched[name]) own[name] = await watched[name].item();
  await trainer.logMetrics({ loss, ...rates, ...own }, step);
}

function checkProgress(loader: DataLoader, progress: Progress, before: number, totalSteps: number): void {
  if (progress.step === totalSteps || (progress.cursor === 0 && progress.step > before)) return;
  throw new DataError({
    where: `loader ${loader.name}`,
    problem: "it ended before its epoch did",
    got: `${progress.cursor} batches`,
    expected: `${loader.batchesPerEpoch}`,
  });
}
