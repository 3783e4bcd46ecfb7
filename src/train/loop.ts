// The training loop: for each epoch the loader's range of the stream; then, batch by batch, the compiled step, the chain's next
// link, the hooks, validation where it is due, and the checkpoint. Everything it depends on is in the progress that it moves on.

import { CheckpointError, DataError, refuse } from "../core/errors.ts";
import { type EpochDraws, epochDraws } from "../data/draws.ts";
import { type DataClock, prefetch } from "../data/feed.ts";
import { groups } from "../data/groups.ts";
import type { DataLoader } from "../data/loader.ts";
import { stepsOf } from "../optim/duration.ts";
import type { Chain } from "../run/chain.ts";
import { now, yieldToEventLoop } from "../runtime/clock.ts";
import type { FitContext, StepContext, StepResult } from "./contract.ts";
import { evaluate } from "./evaluate.ts";
import { learningRates, stepNumbers } from "./inputs.ts";
import { evaluationDue } from "./length.ts";
import type { Metrics } from "./run.ts";
import type { Session } from "./session.ts";

/** What the loop is given. */
export interface Training {
  readonly context: FitContext;
  readonly stepsPerEpoch: number;
  readonly clock: DataClock;
  /** Adds the step to the run's chain. */
  readonly link: (step: Parameters<Chain["link"]>[0]) => void;
  /** Asked after each step: once aborted, no further one is begun. */
  readonly signal: AbortSignal | undefined;
}

/** Trains from where the session's progress is to the last step, or to the end of the step in which the signal is aborted. */
export async function train(session: Session, training: Training): Promise<void> {
  const { trainer, scaler, hooks, progress } = session;
  const { context, stepsPerEpoch, clock, link, signal } = training;
  const { totalSteps, loader, validations } = context;
  const { stream, schedules, options } = trainer;
  const { gradAccumSteps } = options.loop;
  const due = validations.length > 0 ? evaluationDue(options.loop, context) : () => undefined;
  const optimizer = trainer.needOptimizer();
  const { groups: parameterGroups } = optimizer;
  const trainStep = await trainer.trainStep();
  schedules?.apply(progress.step);
  const ended = () => progress.stopped !== undefined || signal?.aborted;
  while (progress.step < totalSteps && !ended()) {
    const draws = epochDraws(loader, stream.seed, progress.epoch);
    checkOrder(loader, session, draws);
    progress.offset = draws.offset;
    const { epoch } = progress;
    if (progress.cursor === 0) await hooks.call("onTrainEpochStart", { ...context, epoch, step: progress.step });
    const before = progress.step;
    // To the epoch's end, or the run's.
    const left = Math.min(stepsPerEpoch - Math.floor(progress.cursor / gradAccumSteps), totalSteps - before);
    const feed = groups(clock.measure(loader), draws, gradAccumSteps, progress.cursor);
    for await (const { batches, input, batch } of prefetch(feed, left, clock)) {
      const step = progress.step + 1;
      const { learningRate } = parameterGroups[0];
      const beginning: StepContext = { ...context, step, epoch, batch, learningRate };
      await hooks.call("onTrainBatchStart", beginning);
      await hooks.call("onTrainStepStart", beginning);

      session.occupancy.refuseUnawaited(`step ${step}`);
      session.settled = false;
      const rates = learningRates(trainer);
      const numbers = await stepNumbers(session);
      const skipped = await scaler.skipped();
      const start = now();
      const { result, watched, graphHash, scalars } = await trainStep.execute([input]);
      const [loss] = await result.data();
      const seconds = now() - start;
      link({ graphHash, position: stream.position, batch, given: { ...scalars, ...numbers }, loss });
      advance(session, training, loss, batches.length);
      // A step of the run, and none of the optimizer: its bias corrections go by the steps that changed weights.
      if ((await scaler.skipped()) !== skipped) optimizer.seek(optimizer.steps - 1);

      const logged = step % stepsOf(options.logging.logSteps, context) === 0 || step === totalSteps;
      const stepResult: StepResult = { ...beginning, loss, watched, seconds, logged };
      await hooks.call("onAfterOptimizerStep", stepResult);
      await hooks.call("onBeforeSchedulerStep", stepResult);
      schedules?.apply(progress.step);
      await hooks.call("onAfterSchedulerStep", stepResult);
      await hooks.call("onTrainStepEnd", stepResult);
      if (logged) await log(stepResult, rates);

      const epochEnds = progress.cursor === 0;
      const which = due(step, epochEnds);
      const decides = which === "scheduled";
      const validated = which && (await clock.excluding(() => evaluate(session, validations, { decides })));
      progress.metrics = validated ?? progress.metrics;
      if (validated) schedules?.apply(progress.step);
      if (epochEnds) await hooks.call("onTrainEpochEnd", { ...context, epoch, step, validated });
      session.settled = true;
      await hooks.call("onTrainBatchEnd", { ...stepResult, validated });
      await yieldToEventLoop();
      for (const tensor of [result, ...Object.values(watched)]) tensor.dispose();
      for (const taken of batches) loader.release?.(taken);
      if (epochEnds || step === totalSteps) break;
      if (ended()) return;
    }
    checkProgress(session, training, before);
  }
}

/** One step further; at the epoch's last batch, to the next epoch's border. */
function advance({ trainer, progress }: Session, { stepsPerEpoch }: Training, loss: number, batches: number): void {
  progress.step++;
  progress.cursor += batches;
  progress.loss = loss;
  if (Math.ceil(progress.cursor / trainer.options.loop.gradAccumSteps) < stepsPerEpoch) return;
  progress.epoch++;
  progress.cursor = 0;
  progress.offset = null;
}

/** Throws CheckpointError where a checkpoint's epoch began with other draws than the loader's. */
function checkOrder(loader: DataLoader, { progress }: Session, draws: EpochDraws): void {
  const { step, epoch, offset } = progress;
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
  const several = Object.keys(watched).filter((name) => /^(loss|gradient_norm)\//.test(name));
  for (const name of ["gradient_norm", "loss_scale", "skipped_steps", ...several])
    if (watched[name]) own[name] = await watched[name].item();
  await trainer.logMetrics({ loss, ...rates, ...own }, step);
}

function checkProgress({ progress }: Session, { context }: Training, before: number): void {
  if (progress.step === context.totalSteps || (progress.cursor === 0 && progress.step > before)) return;
  const problem = "it ended before its epoch did";
  const got = `${progress.cursor} batches`;
  refuse(DataError, `loader ${context.loader.name}`, problem, got, `${context.loader.batchesPerEpoch}`);
}
